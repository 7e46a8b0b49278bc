package pipeline

import (
	"errors"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/codec"
	"streamer/internal/document"
	"streamer/internal/expression"
	"streamer/internal/record"
)

// The classes of failures.
const (
	classDecode   = "decode"
	classEvaluate = "evaluate"
	classEncode   = "encode"
)

// Worker runs blocks through a chain. It belongs to one goroutine.
type Worker struct {
	chain *Chain
	eval  expression.Evaluator
	input expression.Record

	// The record in hand: its value as it stands, how that is to be read, and whether input.Value holds it.
	value  []byte
	format codec.Format
	ready  bool

	objects [2][]byte // objects of maps that are not the last, by turns: one is read while the other is written
	arena   []byte    // the values made for this block
	made    []made    // the outputs of this block
}

// made is one output until the block's arena is complete: then it cannot move any more.
type made struct {
	source     *kgo.Record
	start, end int // the value in the arena; or the input's own value if start is negative
}

// NewWorker makes a worker; each goroutine needs its own.
func (c *Chain) NewWorker() *Worker { return &Worker{chain: c} }

// Process runs the block's records through the chain: it fills b.Out, b.Filtered and b.Skipped, or b.Stopped, charges
// the block with what it then holds, and lets go of b.In. It looks at no clock and cannot fail.
func (w *Worker) Process(b *record.Block) {
	if len(w.chain.steps) == 0 && w.chain.finish == asIs {
		passThrough(b)
		return
	}
	var in usage
	for i, source := range b.In {
		in.add(source)
		keep, failure := w.one(source)
		switch {
		case failure != nil:
			if !w.chain.goOn(b, i, failure) {
				w.settle(b, in)
				return
			}
		case !keep:
			b.Filtered++
		}
	}
	w.settle(b, in)
}

// goOn applies on_error to the record at b.In[i]. It is the one place that does, and so the place where a dead-letter
// policy belongs. It returns false if the block ends before the record.
func (c *Chain) goOn(b *record.Block, i int, failure *record.Failure) bool {
	if c.skip {
		b.Skipped = append(b.Skipped, *failure)
		return true
	}
	b.Stopped = failure
	b.Span.Next = failure.Offset
	b.Span.LeaderEpoch = -1
	if i > 0 {
		b.Span.LeaderEpoch = b.In[i-1].LeaderEpoch
	}
	return false
}

// one runs a record and notes its output; keep is false if a filter dropped it. A failure leaves no output behind.
func (w *Worker) one(source *kgo.Record) (keep bool, failure *record.Failure) {
	start := len(w.arena)
	at := "encode" // the step in hand, for a panic
	defer func() {
		if recover() != nil { // what it says may quote the payload
			keep, failure = false, fail(source, classEvaluate, at, errPanic)
		}
		if !keep {
			w.arena = w.arena[:start]
		}
	}()
	w.input.Source, w.value, w.format, w.ready = source, source.Value, w.chain.decode, false
	out := made{source: source, start: -1}
	for i := range w.chain.steps {
		s := &w.chain.steps[i]
		at = s.path
		switch {
		case s.filter != nil:
			if keep, failure = w.filter(s); !keep {
				return false, failure
			}
		case w.value == nil: // a map leaves a tombstone a tombstone: made an object, the key would never be deleted
		default:
			if failure = w.build(s); failure != nil {
				return false, failure
			}
			if s.last {
				out.start, out.end = start, len(w.arena)
			}
		}
	}
	at = "encode"
	if out.start < 0 && w.value != nil {
		if out, failure = w.encode(out); failure != nil {
			return false, failure
		}
	}
	w.made = append(w.made, out)
	return true, nil
}

var errPanic = errors.New("internal error; please report it with the expression")

func fail(source *kgo.Record, class, step string, err error) *record.Failure {
	return &record.Failure{Offset: source.Offset, Class: class, Step: step, Err: err}
}

// decode parses the value in hand, once.
func (w *Worker) decode() *record.Failure {
	if w.ready {
		return nil
	}
	if err := w.format.Decode(&w.input.Value, w.value); err != nil {
		return fail(w.input.Source, classDecode, "decode", err)
	}
	w.ready = true
	return nil
}

func (w *Worker) filter(s *step) (keep bool, failure *record.Failure) {
	if s.filter.ReadsValue() {
		if failure = w.decode(); failure != nil {
			return false, failure
		}
	}
	keep, err := w.eval.Test(s.filter, &w.input)
	if err != nil {
		return false, fail(w.input.Source, classEvaluate, s.path, err)
	}
	return keep, nil
}

// build runs a map and makes its object the value in hand.
func (w *Worker) build(s *step) *record.Failure {
	target := &w.objects[s.turn]
	if s.last {
		target = &w.arena
	} else {
		*target = (*target)[:0]
	}
	start := len(*target)
	dst := append(*target, '{')
	for i := range s.fields {
		f := &s.fields[i]
		if f.program.ReadsValue() {
			if failure := w.decode(); failure != nil {
				return failure
			}
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = w.eval.Append(append(dst, f.prefix...), f.program, &w.input); err != nil {
			return fail(w.input.Source, classOf(err), f.path, err)
		}
	}
	dst = append(dst, '}')
	*target = dst
	w.value, w.format, w.ready = dst[start:], codec.JSON, false
	return nil
}

func classOf(err error) string {
	if _, ok := errors.AsType[*expression.EncodeError](err); ok {
		return classEncode
	}
	return classEvaluate
}

// encode finishes a value that no map has built.
func (w *Worker) encode(out made) (made, *record.Failure) {
	switch w.chain.finish {
	case decoded:
		return out, w.decode()
	case utf8Text:
		if err := codec.CheckText(w.value); err != nil {
			return out, fail(w.input.Source, classEncode, "encode", err)
		}
	case asString:
		if failure := w.decode(); failure != nil {
			return out, failure
		}
		out.start = len(w.arena)
		w.arena = w.input.Value.Append(w.arena, document.Root)
		out.end = len(w.arena)
	case asIs:
	}
	return out, nil
}
