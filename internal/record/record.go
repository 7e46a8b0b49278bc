package record

import (
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Owner is one assignment of one partition to this member. The same partition assigned again has a higher Epoch, so that
// work of the earlier assignment that finishes late can be told apart and dropped.
type Owner struct {
	Topic     string
	Partition int32
	Epoch     uint32
}

// String renders the partition as "topic/3"; the epoch is internal and not shown.
func (o Owner) String() string { return fmt.Sprintf("%s/%d", o.Topic, o.Partition) }

// Span is the half-open range of offsets [First, Next). What is committed is Next. Offsets in the range may have no
// record: compaction, aborted transactions, control records and DeleteRecords leave gaps.
type Span struct {
	First int64
	Next  int64
	// LeaderEpoch of the last record in the span, -1 if none was seen. It is committed with Next (KIP-320).
	LeaderEpoch int32
}

// Empty reports whether the span covers no offset.
func (s Span) Empty() bool { return s.Next <= s.First }

// String renders the span as "[10,20)".
func (s Span) String() string { return fmt.Sprintf("[%d,%d)", s.First, s.Next) }

// Reason says why a block or a batch was closed.
type Reason uint8

// The cut reasons. Records, Bytes and Interval are the configured bounds; Idle means that the interval is 0 and the next
// stage was free; Drain means a revoked partition or a stop; End means that a bounded run reached the partition's end.
const (
	ByInterval Reason = iota
	ByRecords
	ByBytes
	ByIdle
	ByDrain
	ByEnd
)

// Reasons lists every cut reason, for metrics that want all series from the start.
func Reasons() []Reason { return []Reason{ByInterval, ByRecords, ByBytes, ByIdle, ByDrain, ByEnd} }

func (r Reason) String() string {
	return [...]string{"interval", "records", "bytes", "idle", "drain", "end"}[r]
}

// Output is one record for the sink. Its slices may alias the input record's memory or an arena of the block; whoever
// holds an Output must not change them.
type Output struct {
	Key       []byte
	Value     []byte // nil is a tombstone and stays one
	Headers   []kgo.RecordHeader
	Timestamp time.Time
	// Offset of the input record that this output comes from; with the block's Owner it is the record's provenance.
	Offset int64
	// To is where the output goes; nil means the sink's own place for it.
	To *Destination
	// Refused is set, by [Block.Refuse], on an output that the sink has refused for good and that was dealt with: sinks
	// pass over it.
	Refused bool
}

// Payload is the number of bytes in the output's key, value and headers.
func (o *Output) Payload() int64 { return payload(o.Key, o.Value, o.Headers) }

func payload(key, value []byte, headers []kgo.RecordHeader) int64 {
	n := len(key) + len(value)
	for i := range headers {
		n += len(headers[i].Key) + len(headers[i].Value)
	}
	return int64(n)
}

// Destination is where an output goes if the pipeline decides. It is shared between outputs and never changed.
type Destination struct {
	// Topic is the topic; empty means the sink's own.
	Topic string
	// Partition is the partition; -1 means that the sink places the record.
	Partition int32
	// ByKey is set when the key is not the input record's own: the sink then places by it, also where input and output
	// have equally many partitions and a record would else keep its partition's number.
	ByKey bool
}

// The classes of a [Failure].
const (
	ClassDecode   = "decode"    // the key or value is not what the pipeline says
	ClassEvaluate = "evaluate"  // an expression has no value
	ClassEncode   = "encode"    // the result cannot be written
	ClassTooLarge = "too_large" // the sink says that the record is too large
	ClassRejected = "rejected"  // the sink will never take the record, for another reason
)

// Classes lists the classes of a [Failure].
func Classes() []string {
	return []string{ClassDecode, ClassEvaluate, ClassEncode, ClassTooLarge, ClassRejected}
}

// Failure is one record that could not be processed or delivered. It never holds payload.
type Failure struct {
	Offset int64
	Class  string // one of Classes
	Step   string // the failing part of the pipeline as the user wrote it, such as `steps[0].filter`
	Err    error
}

func (f Failure) Error() string {
	return fmt.Sprintf("offset %d: %s", f.Offset, f.Reason())
}

// Reason is the failure without its place: class, step and cause. Decode and encode are their own steps.
func (f Failure) Reason() string {
	if f.Step == f.Class {
		return fmt.Sprintf("%s: %v", f.Class, f.Err)
	}
	return fmt.Sprintf("%s: %s: %v", f.Class, f.Step, f.Err)
}

// Unwrap returns the cause.
func (f Failure) Unwrap() error { return f.Err }

// DeadLetter is a record that failed and goes to the dead-letter topic, as it came.
type DeadLetter struct {
	Failure

	Owner     Owner // where it came from
	Key       []byte
	Value     []byte
	Headers   []kgo.RecordHeader
	Timestamp time.Time
}

// Size is what the dead letter is charged with.
func (d *DeadLetter) Size() int64 {
	return RecordOverhead + payload(d.Key, d.Value, d.Headers)
}

// Keep copies the dead letter out of the fetched memory, which it would pin as a whole.
func (d *DeadLetter) Keep() {
	room := len(d.Key) + len(d.Value)
	for _, h := range d.Headers {
		room += len(h.Value)
	}
	arena := make(Arena, 0, room)
	d.Key, d.Value = arena.Copy(d.Key), arena.Copy(d.Value)
	headers := slices.Clone(d.Headers)
	for i := range headers {
		headers[i].Value = arena.Copy(headers[i].Value)
	}
	d.Headers = headers
}

// Arena takes copies of bytes, and must have room for all of them.
type Arena []byte

// Copy returns a copy of b that lies in the arena; of nil, nil.
func (a *Arena) Copy(b []byte) []byte {
	if b == nil {
		return nil
	}
	start := len(*a)
	*a = append(*a, b...)
	return (*a)[start:len(*a):len(*a)]
}

// Partial is a block's part of an aggregate, which merges with those of other blocks.
type Partial interface {
	// Merge takes over what other holds; other must not be used any more. It must be of the same pipeline.
	Merge(other Partial)
	// Len is the number of groups.
	Len() int
	// Bytes is the memory held.
	Bytes() int64
}

// Batch is a consistent cut over partitions: the unit of delivery and of commit. Blocks are ordered by (topic,
// partition) and, within a partition, by offset.
type Batch struct {
	ID      uint64
	Cut     Reason
	Spans   map[Owner]Span
	Blocks  []*Block
	Records int   // outputs to deliver, in all blocks
	Bytes   int64 // accounted bytes of all blocks

	Opened time.Time // when its first block arrived
	Closed time.Time // when it was cut
	Wrote  time.Time // when the sink acknowledged it
}

// Outputs yields every output that is still to be delivered with its owner, in delivery order.
func (b *Batch) Outputs(yield func(Owner, *Output) bool) {
	for _, block := range b.Blocks {
		for i := range block.Len() {
			if out := block.Output(i); !out.Refused && !yield(block.Owner, &out) {
				return
			}
		}
	}
}
