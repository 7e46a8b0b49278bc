package demo

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Reader reads the output topic and hands it to the checker. It knows nothing of the service: no group, no shared code.
type Reader struct {
	client  *kgo.Client
	checker *Checker
	read    [partitions]atomic.Int64 // next offset per partition
}

// NewReader makes a reader; its client consumes with readerOptions.
func NewReader(client *kgo.Client, checker *Checker) *Reader {
	return &Reader{client: client, checker: checker}
}

func readerOptions() []kgo.Opt {
	from := make(map[int32]kgo.Offset, partitions)
	for p := range int32(partitions) {
		from[p] = kgo.NewOffset().At(0)
	}
	return []kgo.Opt{kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{outputTopic: from})}
}

// Read is the next offset per partition.
func (r *Reader) Read() [partitions]int64 {
	var read [partitions]int64
	for p := range read {
		read[p] = r.read[p].Load()
	}
	return read
}

// Run reads until ctx ends and then returns nil.
func (r *Reader) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		fetches := r.client.PollFetches(ctx)
		if err := fetches.Err(); err != nil && ctx.Err() == nil {
			return fmt.Errorf("read %s: %w", outputTopic, err)
		}
		for records := fetches.RecordIter(); !records.Done(); {
			record := records.Next()
			r.checker.See(record.Partition, sequence(record), record.Value, record.Timestamp)
			r.read[record.Partition].Store(record.Offset + 1)
		}
	}
	return nil
}

// sequence is the record's sequence number, or -1, which the checker calls unexpected.
func sequence(record *kgo.Record) int64 {
	for _, header := range record.Headers {
		if header.Key != seqHeader {
			continue
		}
		if seq, err := strconv.ParseInt(string(header.Value), 10, 64); err == nil {
			return seq
		}
	}
	return -1
}
