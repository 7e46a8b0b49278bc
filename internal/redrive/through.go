package redrive

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/processor"
	"streamer/internal/record"
)

// through hands the records to the pipeline as if they had just been read from their topics.
type through struct {
	*chooser

	chain processor.Worker
}

// Process implements [processor.Worker]. A chain picks its branch by the block's topic, so it gets each run of letters of
// one topic as a block of its own; what it makes of them is put together here.
func (w *through) Process(b *record.Block) {
	chosen, seen := w.take(b)
	held := int64(0)
	for rest := chosen; len(rest) > 0; {
		run := rest[:sameTopic(rest)]
		rest = rest[len(run):]
		part := w.run(b.Owner, run)
		held += merge(b, part) + letters(b, part.Dead, run)
		if part.Stopped != nil {
			seen = stop(b, part.Stopped)
			chosen = slices.DeleteFunc(chosen, func(l letter) bool { return l.Offset >= part.Stopped.Offset })
			break
		}
	}
	b.Filtered += seen - len(chosen)
	b.In = nil
	if b.Partial != nil {
		held += b.Partial.Bytes()
	}
	b.Charge(record.BlockOverhead + held - b.Bytes())
}

func sameTopic(letters []letter) int {
	n := 1
	for n < len(letters) && letters[n].from.Topic == letters[0].from.Topic {
		n++
	}
	return n
}

// run runs letters of one topic through the chain. The block that is returned is charged with what it holds; at the start
// that is its input, which a chain that changes nothing goes on to hold.
func (w *through) run(owner record.Owner, run []letter) *record.Block {
	owner.Topic = run[0].from.Topic
	part := &record.Block{Owner: owner, In: make([]*kgo.Record, len(run))}
	part.Charge(record.BlockOverhead)
	for i := range run {
		part.In[i] = run[i].original()
		part.Charge(record.Size(run[i].Record))
	}
	w.chain.Process(part)
	return part
}

// merge puts what became of a run behind what the block has already, and returns the bytes that it holds besides its
// partial aggregate, which merges with the block's.
func merge(b, part *record.Block) (held int64) {
	held = part.Bytes() - record.BlockOverhead
	for i := range part.Len() {
		b.Out = append(b.Out, part.Output(i))
	}
	b.Skipped = append(b.Skipped, part.Skipped...)
	b.Filtered += part.Filtered
	b.Reduced += part.Reduced
	if part.Partial == nil {
		return held
	}
	held -= part.Partial.Bytes()
	if b.Partial == nil {
		b.Partial = part.Partial
	} else {
		b.Partial.Merge(part.Partial)
	}
	return held
}

// letters puts the run's failed records among the block's dead letters as the letters that they were read from, which is
// what a record that the sink refuses is read again as: [Original] names the source of both. It returns the bytes that
// this takes beyond the records.
func letters(b *record.Block, dead []record.DeadLetter, run []letter) (more int64) {
	next := 0
	for i := range dead {
		d := dead[i]
		for run[next].Offset < d.Offset {
			next++
		}
		more -= d.Size()
		d.Owner, d.Timestamp, d.Headers = b.Owner, run[next].Timestamp, run[next].Headers
		d.Keep()
		more += d.Size()
		b.Dead = append(b.Dead, d)
	}
	return more
}
