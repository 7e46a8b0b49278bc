package record

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Block is what one partition received in one block interval, or until it was full: the unit of parallel work.
type Block struct {
	Owner Owner
	Span  Span
	Cut   Reason
	// Stopped is the failure that ends the partition under on_error: fail. The span then ends at the failing record, Out
	// has what came before it, and nothing past it may be delivered or committed.
	Stopped *Failure

	In []*kgo.Record // in offset order, no control records; nil once processed
	// Through are the outputs of a block that is passed on as it came: an Output each would cost more than all the rest
	// of its way. Of Through and Out one is nil; whoever delivers asks by Len and Output.
	Through []*kgo.Record
	Out     []Output     // in input order
	Skipped []Failure    // records dropped by an explicit policy
	Dead    []DeadLetter // records for the dead-letter topic, in input order
	// Partial is what the records come to if the pipeline aggregates; else nil. Out then is empty.
	Partial Partial
	// Filtered counts records that ended without an output: a filter dropped them, or a flat_map gave nothing.
	Filtered int
	// Reduced counts records that went into Partial.
	Reduced int

	Opened time.Time // when the first record was appended
	Queued time.Time // when the block was cut and queued for a worker
	Began  time.Time // when a worker took it
	Done   time.Time // when the worker had processed it

	// LastTimestamp is the Kafka timestamp of the last record, for lag in seconds.
	LastTimestamp time.Time
	// Received counts input records, for metrics after In was let go.
	Received int

	refused int // outputs that are Refused
	bytes   int64
	account *Account
}

// Len is the number of outputs, those that are Refused among them.
func (b *Block) Len() int { return len(b.Out) + len(b.Through) }

// Output is the i-th output.
func (b *Block) Output(i int) Output {
	if b.Through != nil {
		return Same(b.Through[i])
	}
	return b.Out[i]
}

// Same is the output that is the record as it came.
func Same(r *kgo.Record) Output {
	return Output{Key: r.Key, Value: r.Value, Headers: r.Headers, Timestamp: r.Timestamp, Offset: r.Offset}
}

func (b *Block) offset(i int) int64 {
	if b.Through != nil {
		return b.Through[i].Offset
	}
	return b.Out[i].Offset
}

// Deliverable is the number of outputs that are not Refused.
func (b *Block) Deliverable() int { return b.Len() - b.refused }

// Refuse marks the i-th output as Refused, which it must not be yet.
func (b *Block) Refuse(i int) {
	if b.Through != nil { // such a record has no place for the mark
		b.Out = make([]Output, len(b.Through))
		for j, r := range b.Through {
			b.Out[j] = Same(r)
		}
		b.Through = nil
	}
	b.Out[i].Refused = true
	b.refused++
}

// Payload is the number of bytes in the keys, values and headers of the outputs that are not Refused.
func (b *Block) Payload() (n int64) {
	if b.Through != nil {
		for _, r := range b.Through {
			n += Size(r) - RecordOverhead
		}
		return n
	}
	for i := range b.Out {
		if !b.Out[i].Refused {
			n += b.Out[i].Payload()
		}
	}
	return n
}

// End ends the block at offset, in place: outputs from there on leave it, its charge stays. It remains the same block to a
// sink that remembers what of it has arrived.
func (b *Block) End(offset int64) {
	end := 0
	for end < b.Len() && b.offset(end) < offset {
		end++
	}
	if b.Through != nil {
		b.Through = b.Through[:end:end]
	} else {
		for i := range b.Out[end:] {
			if b.Out[end+i].Refused {
				b.refused--
			}
		}
		b.Out = b.Out[:end:end]
	}
	b.Span.Next, b.Span.LeaderEpoch = offset, -1
}

// Stop ends the block before In[i], whose failure it is.
func (b *Block) Stop(i int, failure *Failure) {
	b.Stopped = failure
	b.Span.Next, b.Span.LeaderEpoch = failure.Offset, -1
	if i > 0 {
		b.Span.LeaderEpoch = b.In[i-1].LeaderEpoch
	}
}

// Absorb merges the partial aggregate of a later block of the same owner into the block's own, so that a batch holds one
// for each partition and not one for each block. Both blocks' charges follow.
func (b *Block) Absorb(later *Block) {
	b.Charge(-b.Partial.Bytes())
	later.Charge(-later.Partial.Bytes())
	b.Partial.Merge(later.Partial)
	later.Partial = nil
	b.Charge(b.Partial.Bytes())
}

// Failed counts the records that failed and did not stop the partition.
func (b *Block) Failed() int { return len(b.Skipped) + len(b.Dead) }
