package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// GoneError says that a record is not in the log any more: deleted, compacted, or its topic is gone.
type GoneError struct {
	At     TopicPartition
	Offset int64
}

func (e *GoneError) Error() string {
	return fmt.Sprintf("record %s@%d is not in the log any more", e.At, e.Offset)
}

// Record reads one record again, beside the client's own fetch sessions. The error is a [*GoneError] if it is not there any
// more; any other may pass.
func (a *Admin) Record(ctx context.Context, s SourceConfig, at TopicPartition, offset int64) (*kgo.Record, error) {
	topic, leader, err := a.leader(ctx, at)
	if err != nil {
		if errors.Is(err, kerr.UnknownTopicOrPartition) || errors.Is(err, kerr.UnknownTopicID) {
			return nil, &GoneError{At: at, Offset: offset}
		}
		return nil, err
	}
	response, err := a.fetchRaw(ctx, s, topic, leader, at, offset, probeBytes)
	if err != nil {
		return nil, fmt.Errorf("read %s@%d: %w", at, offset, err)
	}
	fetched, _ := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
		Offset: offset, IsolationLevel: s.isolation(), Topic: at.Topic, Partition: at.Partition,
	}, response, a.decompressor(), nil)
	switch {
	case errors.Is(fetched.Err, kerr.OffsetOutOfRange), errors.Is(fetched.Err, kerr.UnknownTopicOrPartition):
		return nil, &GoneError{At: at, Offset: offset}
	case fetched.Err != nil:
		return nil, fmt.Errorf("read %s@%d: %w", at, offset, fetched.Err)
	case len(fetched.Records) == 0 || fetched.Records[0].Offset != offset:
		return nil, &GoneError{At: at, Offset: offset}
	}
	return fetched.Records[0], nil
}
