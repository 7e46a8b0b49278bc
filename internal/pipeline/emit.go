package pipeline

import (
	"bytes"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/codec"
	"streamer/internal/document"
	"streamer/internal/record"
)

// product is what a worker has made of a block so far.
type product struct {
	arena   []byte // all bytes that were made; it moves as it grows
	emitted []emitted
	headers []header
	kept    bool   // the record in hand has come to an output, or went into the aggregate
	step    string // the step in hand, for a panic
}

// emitted is one output until the block's arena is complete.
type emitted struct {
	source     *kgo.Record
	value, key extent
	headers    extent // in product.headers; own: the source's
	to         *record.Destination
	timestamp  time.Time
}

// extent is a part of the arena.
type extent struct{ start, end int }

// The extents that are no part of it.
var (
	own    = extent{-1, -1} //nolint:gochecknoglobals // a constant: the input record's own
	absent = extent{-2, -2} //nolint:gochecknoglobals // a constant: nil
)

// header is a header of an output; its value is the source's if at is own.
type header struct {
	name  string
	value []byte
	at    extent
}

// mark is how far a product goes.
type mark struct{ arena, emitted, headers int }

func (p *product) mark() mark { return mark{len(p.arena), len(p.emitted), len(p.headers)} }

// undo takes back all that was made since the mark.
func (p *product) undo(to mark) {
	clear(p.emitted[to.emitted:])
	clear(p.headers[to.headers:])
	p.arena, p.emitted, p.headers = p.arena[:to.arena], p.emitted[:to.emitted], p.headers[:to.headers]
}

// finish is what is left to do with a value behind the last step.
type finish uint8

const (
	asIs     finish = iota
	checked         // as it is, and must be valid in the input's format
	utf8Text        // as it is, and must be UTF-8
	asJSON          // to be written as JSON
	encoded         // to be written by an encoder
)

// output is how a branch ends: encode and route.
type output struct {
	made      bool // a step builds the value
	keyed     bool // a step makes the key
	composite bool // and that key is an object
	keyJSON   bool // a key that is made is written as JSON, not as plain text
	value     finish
	key       finish
	encode    formats
	route     route
}

// passes reports whether outputs are the input as it is.
func (o *output) passes() bool { return o.value == asIs && o.key == asIs && !o.route.any }

// byKey is where an output goes that has a new key and no route: two records with the same key go to the same partition.
var byKey = &record.Destination{Partition: -1, ByKey: true} //nolint:gochecknoglobals // a constant

// emit writes the record in hand as an output.
func (w *Worker) emit() *record.Failure {
	out := emitted{source: w.input.Source, value: own, key: own, headers: own, timestamp: w.input.Source.Timestamp}
	o := &w.branch.out
	if o.route.any {
		if failure := w.send(&o.route, &out); failure != nil {
			return failure
		}
	}
	w.step = "encode"
	failure := w.emitValue(o, &out)
	if failure == nil && (w.hand.keyed || o.key != asIs) {
		w.step = "encode.key"
		failure = w.emitKey(o, &out)
	}
	if failure != nil {
		return failure
	}
	if w.hand.keyed && out.to == nil {
		out.to = byKey
	}
	w.emitted = append(w.emitted, out)
	return nil
}

func (w *Worker) emitValue(o *output, out *emitted) *record.Failure {
	if w.hand.tombstone() {
		out.value = absent
		return nil
	}
	switch o.value {
	case asIs:
	case checked:
		return w.decode()
	case utf8Text:
		if err := codec.CheckText(w.hand.value); err != nil {
			return w.fail(record.ClassEncode, "encode", err)
		}
	case asJSON:
		return w.emitJSON(out)
	case encoded:
		if failure := w.whole(); failure != nil {
			return failure
		}
		start := len(w.arena)
		arena, err := w.coder.encodeValue.Append(w.ctx, w.arena, &w.input.Value, document.Root)
		if err != nil {
			return w.fail(record.ClassEncode, "encode", err)
		}
		w.arena, out.value = arena, extent{start, len(arena)}
	}
	return nil
}

// emitJSON writes the value as JSON: what a step has built as it stands, anything else from its document.
func (w *Worker) emitJSON(out *emitted) *record.Failure {
	start := len(w.arena)
	switch {
	case len(w.hand.rows) > 0:
		arena, failure := w.merge(w.arena)
		if failure != nil {
			return failure
		}
		w.arena = arena
	case w.hand.built:
		w.arena = append(w.arena, w.hand.value...)
	default:
		if failure := w.decode(); failure != nil {
			return failure
		}
		w.arena = w.input.Value.Append(w.arena, document.Root)
	}
	out.value = extent{start, len(w.arena)}
	return nil
}

// emitKey writes the key: the one that a step or route made, as JSON in w.key, or the record's own.
func (w *Worker) emitKey(o *output, out *emitted) *record.Failure {
	if !w.hand.keyed && w.input.Source.Key == nil || w.hand.keyed && string(w.key) == "null" {
		out.key = absent
		return nil
	}
	start := len(w.arena)
	var err error
	switch {
	case o.key == encoded || !w.hand.keyed && o.key == asJSON:
		d, failure := w.keyDocument()
		if failure != nil {
			return failure
		}
		if o.key == encoded {
			w.arena, err = w.coder.encodeKey.Append(w.ctx, w.arena, d, document.Root)
		} else {
			w.arena = d.Append(w.arena, document.Root)
		}
	case w.hand.keyed && o.keyJSON:
		w.arena = append(w.arena, w.key...)
	case w.hand.keyed:
		w.arena, err = appendPlain(w.arena, w.key, &w.coder.keyDoc)
	case o.key == checked:
		return w.decodeKey()
	case o.key == utf8Text:
		if err := codec.CheckText(w.input.Source.Key); err != nil {
			return w.fail(record.ClassEncode, "encode.key", err)
		}
		return nil
	}
	if err != nil {
		return w.fail(record.ClassEncode, "encode.key", err)
	}
	out.key = extent{start, len(w.arena)}
	return nil
}

// keyDocument is the key as a document.
func (w *Worker) keyDocument() (*document.Document, *record.Failure) {
	if !w.hand.keyed {
		failure := w.decodeKey()
		return &w.input.Key, failure
	}
	if err := w.coder.keyDoc.Parse(w.key); err != nil {
		return nil, w.fail(record.ClassEncode, "encode.key", err)
	}
	return &w.coder.keyDoc, nil
}

// appendPlain appends a key that stands as JSON as plain text: a string without quotes and escapes, all else as it is.
func appendPlain(dst, key []byte, d *document.Document) ([]byte, error) {
	if key[0] != '"' {
		return append(dst, key...), nil
	}
	if bytes.IndexByte(key, '\\') < 0 {
		return append(dst, key[1:len(key)-1]...), nil
	}
	if err := d.Parse(key); err != nil {
		return dst, fmt.Errorf("read key: %w", err)
	}
	return append(dst, d.Text(document.Root)...), nil
}
