package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// Starts lists each partition's log start: the first offset that still exists.
func (a *Admin) Starts(ctx context.Context, of Partitions) (Offsets, error) {
	return a.list(ctx, of, "log start", a.admin.ListStartOffsets)
}

// Ends lists each partition's end as a consumer of this isolation sees it: one past the last record, or for
// read_committed the last stable offset, which an open transaction holds back.
func (a *Admin) Ends(ctx context.Context, of Partitions, isolation string) (Offsets, error) {
	if isolation == ReadUncommitted {
		return a.list(ctx, of, "end", a.admin.ListEndOffsets)
	}
	return a.list(ctx, of, "end", a.admin.ListCommittedOffsets)
}

// Resolve turns a position into an offset per partition, between log start and end. A time gives the first record that
// is not older; where there is none, the end. now is the clock for positions such as -15m.
func (a *Admin) Resolve(
	ctx context.Context, of Partitions, position Position, isolation string, now time.Time,
) (Offsets, error) {
	if position.kind == positionEarliest {
		return a.Starts(ctx, of)
	}
	ends, err := a.Ends(ctx, of, isolation)
	if err != nil || position.kind == positionLatest {
		return ends, err
	}
	var at Offsets
	if ms, ok := position.millis(now); ok {
		at, err = a.list(ctx, of, "offset by time", func(ctx context.Context, topics ...string) (kadm.ListedOffsets, error) {
			return a.admin.ListOffsetsAfterMilli(ctx, ms, topics...)
		})
	} else {
		at, err = a.clampToStart(ctx, of, position.offset)
	}
	if err != nil {
		return nil, err
	}
	// An offset by time may lie in a transaction that is still open, past what read_committed can reach.
	for partition, end := range ends.Sorted() {
		at.Set(partition.Topic, partition.Partition, min(at[partition.Topic][partition.Partition], end))
	}
	return at, nil
}

func (a *Admin) clampToStart(ctx context.Context, of Partitions, offset int64) (Offsets, error) {
	starts, err := a.Starts(ctx, of)
	if err != nil {
		return nil, err
	}
	at := Offsets{}
	for partition, start := range starts.Sorted() {
		at.Set(partition.Topic, partition.Partition, max(start, offset))
	}
	return at, nil
}

type listOffsets func(context.Context, ...string) (kadm.ListedOffsets, error)

// list asks for one kind of offset and insists on an answer for each partition: a partition that is left out in silence
// would be read from nowhere, or never be reached. It asks again once, with fresh metadata, because the client does not
// know of a partition that was added in the last seconds.
func (a *Admin) list(ctx context.Context, of Partitions, what string, ask listOffsets) (Offsets, error) {
	if of.Len() == 0 {
		return Offsets{}, nil
	}
	once := func() (Offsets, error) { return listOnce(ctx, of, what, ask) }
	offsets, err := retry(ctx, once)
	if !errors.Is(err, errNoAnswer) && !errors.Is(err, kerr.UnknownTopicOrPartition) {
		return offsets, err
	}
	if _, err := a.freshTopics(ctx, of.Topics()...); err != nil {
		return nil, err
	}
	return retry(ctx, once)
}

func listOnce(ctx context.Context, of Partitions, what string, ask listOffsets) (Offsets, error) {
	listed, err := ask(ctx, of.Topics()...)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", what, err)
	}
	offsets := Offsets{}
	for partition := range of.Sorted() {
		answer, ok := listed.Lookup(partition.Topic, partition.Partition)
		switch {
		case !ok:
			return nil, fmt.Errorf("list %s of %s: %w", what, partition, errNoAnswer)
		case answer.Err != nil:
			return nil, fmt.Errorf("list %s of %s: %w", what, partition, answer.Err)
		}
		offsets.Set(partition.Topic, partition.Partition, answer.Offset)
	}
	return offsets, nil
}
