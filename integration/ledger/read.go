package ledger

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ReadTopic calls each for every committed record that the topic holds now, in order within a partition.
func ReadTopic(ctx context.Context, brokers []string, topic string, each func(*kgo.Record)) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		return fmt.Errorf("make Kafka client: %w", err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	starts, err := admin.ListStartOffsets(ctx, topic)
	if err == nil {
		err = starts.Error()
	}
	if err != nil {
		return fmt.Errorf("list start offsets of %s: %w", topic, err)
	}
	ends, err := admin.ListCommittedOffsets(ctx, topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return fmt.Errorf("list end offsets of %s: %w", topic, err)
	}
	left := make(map[int32]int64)
	from := make(map[int32]kgo.Offset)
	starts.Each(func(start kadm.ListedOffset) {
		end, _ := ends.Lookup(topic, start.Partition)
		if start.Offset < end.Offset {
			left[start.Partition] = end.Offset
			from[start.Partition] = kgo.NewOffset().At(start.Offset)
		}
	})
	if len(left) == 0 {
		return nil
	}
	return readUntil(ctx, brokers, topic, from, left, each)
}

// readUntil reads the partitions from their offsets to the ends in left, which it empties.
func readUntil(
	ctx context.Context, brokers []string, topic string, from map[int32]kgo.Offset, left map[int32]int64,
	each func(*kgo.Record),
) error {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(brokers...),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		// Without the markers the end behind a transaction would never be seen.
		kgo.KeepControlRecords(),
	)
	if err != nil {
		return fmt.Errorf("make Kafka client: %w", err)
	}
	defer client.Close()
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("read %s: %w (left: %v)", topic, err, left)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			end, wanted := left[r.Partition]
			if !wanted || r.Offset >= end {
				return
			}
			if !r.Attrs.IsControl() {
				each(r)
			}
			if r.Offset >= end-1 {
				delete(left, r.Partition)
			}
		})
	}
	return nil
}

// Read reads what the input topic holds of the run, and what the output topic has of it.
func Read(ctx context.Context, brokers []string, run, input, output string) (*Ledger, error) {
	l, err := ReadInput(ctx, brokers, run, input)
	if err != nil {
		return nil, err
	}
	return l, l.ReadOutput(ctx, brokers, run, output)
}

// ReadOutput adds what the output topic has of the run.
func (l *Ledger) ReadOutput(ctx context.Context, brokers []string, run, output string) error {
	reader := Reader{Run: run}
	return ReadTopic(ctx, brokers, output, func(r *kgo.Record) { l.Deliver(Lane(r.Partition), r.Value, &reader) })
}

// ReadInput reads what the input topic holds of the run. Values of other runs, and those that are no value of ours, are
// not expected to be delivered.
func ReadInput(ctx context.Context, brokers []string, run, input string) (*Ledger, error) {
	l := &Ledger{Produced: map[int32][]Stored{}, Delivered: map[string][]ID{}}
	reader := Reader{Run: run}
	err := ReadTopic(ctx, brokers, input, func(r *kgo.Record) {
		if id, err := reader.Read(r.Value); err == nil {
			l.Produced[r.Partition] = append(l.Produced[r.Partition], Stored{Offset: r.Offset, ID: id})
		}
	})
	return l, err
}

// Lane is the name of an output partition's lane.
func Lane(partition int32) string { return strconv.Itoa(int(partition)) }

// Deliver adds one delivered value to the end of the lane.
func (l *Ledger) Deliver(lane string, value []byte, reader *Reader) {
	id, err := reader.Read(value)
	switch {
	case err == nil:
		l.Delivered[lane] = append(l.Delivered[lane], id)
	case errors.Is(err, ErrTorn):
		l.Damaged = append(l.Damaged, fmt.Errorf("lane %s: %w", lane, err))
	}
}

// Keep drops produced records that need not be delivered, such as those that a filter drops.
func (l *Ledger) Keep(wanted func(ID) bool) {
	for partition, records := range l.Produced {
		kept := records[:0]
		for _, record := range records {
			if wanted(record.ID) {
				kept = append(kept, record)
			}
		}
		l.Produced[partition] = kept
	}
}
