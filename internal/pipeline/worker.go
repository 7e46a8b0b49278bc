package pipeline

import (
	"context"
	"errors"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/aggregate"
	"streamer/internal/codec"
	"streamer/internal/document"
	"streamer/internal/expression"
	"streamer/internal/record"
	"streamer/internal/reference"
)

// Worker runs blocks through a chain. It belongs to one goroutine.
type Worker struct {
	product // the outputs of this block

	ctx   context.Context //nolint:containedctx // a worker's life; a schema that cannot be fetched is waited for
	chain *Chain
	eval  expression.Evaluator
	input expression.Record

	branch *branch
	coders map[*branch]*coders
	coder  *coders           // the branch's
	tables []*reference.Rows // one snapshot for the whole block, by branch.tables

	hand    hand
	key     []byte    // the key that key_by made, as JSON
	text    []byte    // scratch for one text
	objects [2][]byte // the values that steps make: one is read while the other is written
	turn    int       // which of them the value in hand is in
	lists   []list    // of flat_maps, by depth
	results []result  // of an aggregate's arguments
	group   *aggregate.Table
	places  map[record.Destination]*record.Destination // that route.partition has given
}

// coders are a worker's own decoders and encoders of one branch.
type coders struct {
	decodeKey, decodeValue codec.Decoder
	encodeKey, encodeValue codec.Encoder
	keyDoc                 document.Document // a key on its way from one format to another
}

// hand is the record that the links work on.
type hand struct {
	value    []byte     // in the input's format, or, once built, JSON; nil if the record is a tombstone
	built    bool       // a step has built value
	ready    bool       // input.Value holds the decoded value
	keyReady bool       // input.Key holds the decoded key
	keyed    bool       // Worker.key is the record's key
	rows     []rowField // joined rows that are not part of value
}

func (h *hand) tombstone() bool { return h.value == nil }

// take makes text, which is JSON, the value.
func (h *hand) take(text []byte) { h.value, h.built, h.ready, h.rows = text, true, false, nil }

// NewWorker makes a worker; each goroutine needs its own. It waits for schemas until ctx ends; then what it makes of a
// block is worth nothing and must be dropped.
func (c *Chain) NewWorker(ctx context.Context) *Worker {
	return &Worker{ctx: ctx, chain: c, coders: make(map[*branch]*coders), places: make(map[record.Destination]*record.Destination)}
}

// Process runs the block's records through the chain: it fills b.Out or b.Partial, b.Filtered and b.Skipped, b.Dead or
// b.Stopped, charges the block with what it then holds, and lets go of b.In. It looks at no clock.
func (w *Worker) Process(b *record.Block) {
	w.enter(w.chain.branchOf(b.Owner.Topic))
	if w.branch.passes() {
		passThrough(b)
		return
	}
	var in usage
	for i, source := range b.In {
		in.add(source)
		failure := w.one(source)
		switch {
		case failure != nil:
			if !w.chain.goOn(b, i, failure) {
				w.settle(b, in)
				return
			}
		case w.branch.columns != nil && w.kept:
			b.Reduced++
		case !w.kept:
			b.Filtered++
		}
	}
	w.settle(b, in)
}

// enter makes the worker ready for a block of the branch.
func (w *Worker) enter(b *branch) {
	w.branch = b
	if w.coder = w.coders[b]; w.coder == nil {
		w.coder = b.newCoders()
		w.coders[b] = w.coder
	}
	w.tables = w.tables[:0]
	for _, table := range b.tables {
		w.tables = append(w.tables, table.Current())
	}
	w.input.Joined = grown(w.input.Joined, b.mostRows)
	w.lists = grown(w.lists, b.lists)
	if b.columns != nil {
		w.group = aggregate.NewTable(functionsOf(b.columns))
		w.results = grown(w.results, len(b.columns))
	}
}

func grown[T any](s []T, n int) []T {
	if len(s) >= n {
		return s
	}
	return append(s, make([]T, n-len(s))...)
}

// one runs a record and notes its outputs. A failure leaves none of them behind, however many the record had already.
func (w *Worker) one(source *kgo.Record) (failure *record.Failure) {
	mark := w.mark()
	defer func() {
		if recover() != nil { // what it says may quote the payload
			failure = w.fail(record.ClassEvaluate, w.step, errPanic)
		}
		if failure != nil {
			w.undo(mark)
		}
	}()
	w.input.Source, w.kept = source, false
	w.hand = hand{value: source.Value}
	w.step = "encode"
	return w.walk(0)
}

var errPanic = errors.New("internal error; please report it with the expression")

// walk takes the record in hand through the links from the given one on.
func (w *Worker) walk(from int) *record.Failure {
	links := w.branch.links
	for i := from; i < len(links); i++ {
		w.step = links[i].at()
		next, failure := links[i].run(w)
		if failure != nil {
			return failure
		}
		switch next {
		case goesOn:
		case drops:
			return nil
		case spreads:
			return w.spread(links[i].(*flatMap), i+1) //nolint:forcetypeassert,errcheck // only a flat_map spreads
		}
	}
	w.kept = true
	if w.branch.columns != nil {
		return w.reduce()
	}
	w.step = "encode"
	return w.emit()
}

func (w *Worker) fail(class, step string, err error) *record.Failure {
	return &record.Failure{Offset: w.input.Source.Offset, Class: class, Step: step, Err: err}
}

func classOf(err error) string {
	if _, ok := errors.AsType[*expression.EncodeError](err); ok {
		return record.ClassEncode
	}
	return record.ClassEvaluate
}

// prepare decodes what the program looks into.
func (w *Worker) prepare(p *expression.Program) *record.Failure {
	if p.ReadsKey() {
		if failure := w.decodeKey(); failure != nil {
			return failure
		}
	}
	if !p.ReadsValue() {
		return nil
	}
	if p.ReadsWhole() {
		return w.whole()
	}
	return w.decode()
}

// decode parses the value in hand, once.
func (w *Worker) decode() *record.Failure {
	if w.hand.ready {
		return nil
	}
	var err error
	switch {
	case w.hand.tombstone():
		w.input.Value.Reset()
	case w.hand.built:
		err = w.input.Value.Parse(w.hand.value)
	case w.branch.fields != nil:
		err = w.input.Value.ParseFields(w.hand.value, w.branch.fields)
	default:
		err = w.coder.decodeValue.Decode(w.ctx, &w.input.Value, w.hand.value)
	}
	if err != nil {
		return w.fail(record.ClassDecode, "decode", err)
	}
	w.hand.ready = true
	return nil
}

func (w *Worker) decodeKey() *record.Failure {
	if w.hand.keyReady {
		return nil
	}
	if key := w.input.Source.Key; key == nil {
		w.input.Key.Reset()
	} else if err := w.coder.decodeKey.Decode(w.ctx, &w.input.Key, key); err != nil {
		return w.fail(record.ClassDecode, "decode.key", err)
	}
	w.hand.keyReady = true
	return nil
}

// whole decodes the value in hand with all joined rows in it.
func (w *Worker) whole() *record.Failure {
	if len(w.hand.rows) > 0 && !w.hand.tombstone() {
		dst, failure := w.merge(w.blank())
		if failure != nil {
			return failure
		}
		w.made(dst)
	}
	return w.decode()
}

// blank is where the next value is built: not where the value in hand is.
func (w *Worker) blank() []byte { return w.objects[1-w.turn][:0] }

// made makes what was built behind blank the value in hand.
func (w *Worker) made(text []byte) {
	w.turn = 1 - w.turn
	w.objects[w.turn] = text
	w.hand.take(text)
}
