package kafka

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// UndecodableError says that the log has something at a position that cannot be read. Nothing past it is delivered.
type UndecodableError struct {
	At     TopicPartition
	Offset int64 // the position: everything before it could be read
	// Next is the offset behind the batch, as far as its header can be believed, else one past Offset.
	Next int64
	Err  error // without the record's data
}

func (e *UndecodableError) Error() string {
	return fmt.Sprintf("the record batch of %s@%d cannot be read: %v", e.At, e.Offset, e.Err)
}

// Unwrap returns the cause.
func (e *UndecodableError) Unwrap() error { return e.Err }

// Remedy says what helps.
func (e *UndecodableError) Remedy() string {
	if errors.Is(e.Err, errUnpacksTooLarge) {
		return unpackRemedy
	}
	return "if another replica of the partition has it in order, make that one the leader, and run again"
}

// Examine reads what the log has at a position, beside the client's own fetch sessions, and returns nil if a consumer that
// asks there gets on: to a record, or past a batch without any. An [*UndecodableError] is for what the log holds and nobody
// can read; any other error is of the look, and may pass.
func (a *Admin) Examine(ctx context.Context, s SourceConfig, at TopicPartition, offset int64) error {
	topic, leader, err := a.leader(ctx, at)
	if err != nil {
		return err
	}
	response, err := a.fetchRaw(ctx, s, topic, leader, at, offset, leastFetch)
	if err != nil {
		return fmt.Errorf("examine %s@%d: %w", at, offset, err)
	}
	switch err := kerr.ErrorForCode(response.ErrorCode); {
	case errors.Is(err, kerr.CorruptMessage): // the broker cannot read it either; as a code it looks like one that passes
		return &UndecodableError{At: at, Offset: offset, Next: offset + 1, Err: err}
	case errors.Is(err, kerr.OffsetOutOfRange): // deleted meanwhile: the consumer is told so too, and knows what to do
		return nil
	case err != nil:
		return fmt.Errorf("examine %s@%d: %w", at, offset, err)
	}
	return examine(at, offset, response.RecordBatches, a.decompressor())
}

// The places in a batch that are the same for every format, and of v2, the format of today.
const (
	lengthAt = 8  // of the bytes that follow it
	sizeAt   = 12 // the length counts from here
	magicAt  = 16
	deltaAt  = 23 // v2: from the first to the last offset
	countAt  = 57 // v2: of records
)

// examine looks at batches up to the one that moves a consumer past offset.
func examine(at TopicPartition, offset int64, batches []byte, unpack kgo.Decompressor) error {
	undecodable := func(next int64, why string, args ...any) error {
		return &UndecodableError{At: at, Offset: offset, Next: max(next, offset+1), Err: fmt.Errorf(why, args...)}
	}
	for rest := batches; len(rest) > 0; {
		if len(rest) <= magicAt {
			return undecodable(0, "its header is cut off after %d bytes", len(rest))
		}
		length := int64(int32(binary.BigEndian.Uint32(rest[lengthAt:]))) + sizeAt
		switch {
		case length <= magicAt:
			return undecodable(0, "its header gives it %d bytes", length)
		case length > int64(len(rest)):
			// A broker sends the first batch whole, whatever the limits of the fetch; one behind it is asked for next.
			return undecodable(0, "it is cut off after %d of %d bytes", len(rest), length)
		}
		batch := rest[:length]
		next, err := examineBatch(at, batch, unpack)
		switch {
		case err != nil:
			return undecodable(next, "%w", err)
		case next > offset:
			return nil
		}
		rest = rest[length:]
	}
	if len(batches) > 0 {
		return undecodable(0, "the broker answers with batches that end before it")
	}
	return nil
}

// examineBatch reads one whole batch and returns the offset behind it. kgo takes fewer records than the header says for a
// batch that was cut off, and drops records whose offsets go back, both in silence.
func examineBatch(at TopicPartition, batch []byte, unpack kgo.Decompressor) (next int64, err error) {
	first := int64(binary.BigEndian.Uint64(batch))
	asked := kmsg.NewFetchResponseTopicPartition()
	asked.Partition, asked.RecordBatches = at.Partition, batch
	fetched, next := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
		KeepControlRecords: true, Offset: first, Topic: at.Topic, Partition: at.Partition,
	}, &asked, unpack, nil)
	isV2 := batch[magicAt] == 2 && len(batch) >= batchHeader
	if isV2 {
		delta := int64(int32(binary.BigEndian.Uint32(batch[deltaAt:])))
		if delta < 0 { // which hides the batch from what has just read it, but not from every consumer
			return next, fmt.Errorf("its last offset is %d before its first", -delta)
		}
		next = first + delta + 1
	}
	if large, ok := errors.AsType[*kgo.ErrDecompressTooLarge](fetched.Err); ok {
		return large.NextOffset, errUnpacksTooLarge
	}
	if fetched.Err != nil || !isV2 {
		return next, fetched.Err
	}
	if count := int32(binary.BigEndian.Uint32(batch[countAt:])); len(fetched.Records) != int(count) {
		return next, fmt.Errorf("%d of its %d records can be read", len(fetched.Records), count)
	}
	if n := len(fetched.Records); n > 0 && fetched.Records[n-1].Offset >= next { // a consumer that has got so far is stuck
		return next, fmt.Errorf("a record has offset %d, behind its last, %d", fetched.Records[n-1].Offset, next-1)
	}
	return next, nil
}

var errUnpacksTooLarge = errors.New("it unpacks to more than the memory budget allows")
