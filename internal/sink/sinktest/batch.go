package sinktest

import (
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/record"
)

// Batch makes a batch of the blocks as the batcher would: spans, counts and cut reason set.
func Batch(id uint64, blocks ...*record.Block) *record.Batch {
	batch := &record.Batch{ID: id, Cut: record.ByInterval, Spans: map[record.Owner]record.Span{}, Blocks: blocks}
	for _, block := range blocks {
		span, known := batch.Spans[block.Owner]
		if !known {
			span.First = block.Span.First
		}
		span.Next, span.LeaderEpoch = block.Span.Next, block.Span.LeaderEpoch
		batch.Spans[block.Owner] = span
		batch.Records += len(block.Out)
	}
	return batch
}

// Block makes a processed block of the partition of topic "in", whose outputs have the offsets from first on.
func Block(partition int32, first int64, outputs ...record.Output) *record.Block {
	for i := range outputs {
		outputs[i].Offset = first + int64(i)
	}
	return &record.Block{
		Owner: record.Owner{Topic: "in", Partition: partition, Epoch: 1},
		Span:  record.Span{First: first, Next: first + int64(len(outputs)), LeaderEpoch: -1},
		Out:   outputs,
	}
}

// Numbered makes a block of n records whose keys and values say where they come from.
func Numbered(partition int32, first int64, n int) *record.Block {
	outputs := make([]record.Output, n)
	for i := range outputs {
		outputs[i] = record.Output{
			Key:       fmt.Appendf(nil, "key-%d-%d", partition, i%7),
			Value:     value(partition, first+int64(i)),
			Timestamp: epoch().Add(time.Duration(i) * time.Millisecond),
		}
	}
	return Block(partition, first, outputs...)
}

// through turns the outputs of the batch, which must have no destination, into records that are passed on as they came.
func through(batch *record.Batch) *record.Batch {
	for _, block := range batch.Blocks {
		for i := range block.Out {
			out := &block.Out[i]
			block.Through = append(block.Through, &kgo.Record{
				Topic: "in", Partition: block.Owner.Partition, Offset: out.Offset,
				Key: out.Key, Value: out.Value, Headers: out.Headers, Timestamp: out.Timestamp,
			})
		}
		block.Out = nil
	}
	return batch
}

// Merged makes a block of what was merged from several input records: it has no owner and no span.
func Merged(outputs ...record.Output) *record.Block { return &record.Block{Out: outputs} }

func epoch() time.Time { return time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC) }

func value(partition int32, offset int64) []byte {
	return fmt.Appendf(nil, `{"partition":%d,"offset":%d}`, partition, offset)
}
