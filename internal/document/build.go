package document

import (
	"math"
	"strconv"
)

// Builder fills a document that does not come from JSON text: a row of a table, a message in a binary format. Values are
// added in the order in which the document is read; in an object each value comes after its Name. The zero value is not
// usable, see [Document.Build].
//
// What it builds has no escapes, so that reading it changes nothing: once finished, any number of goroutines may read such
// a document at the same time.
type Builder struct {
	d     *Document
	open  []uint32 // the places of the arrays and objects that are not closed
	depth int
	deep  bool
}

// Build empties the document, which keeps its memory, and returns a builder for it. The bytes that the document refers to
// are its own from then on, never those of an earlier Parse.
func (d *Document) Build() Builder {
	d.needBuffers()
	if d.built == nil {
		d.built = make([]byte, 0, 256)
	}
	d.built, d.src, d.entries = d.built[:0], nil, d.entries[:0]
	return Builder{d: d}
}

// add appends a scalar whose bytes are everything behind start.
func (b *Builder) add(start int, kind Kind, verbatim bool) {
	b.d.entries = append(b.d.entries, entry{
		start: uint32(start), end: uint32(len(b.d.built)), next: uint32(len(b.d.entries) + 1), kind: kind, verbatim: verbatim,
	})
}

// Null adds a null.
func (b *Builder) Null() { b.word("null", Null) }

// Bool adds true or false.
func (b *Builder) Bool(value bool) {
	if value {
		b.word("true", True)
		return
	}
	b.word("false", False)
}

func (b *Builder) word(text string, kind Kind) {
	start := len(b.d.built)
	b.d.built = append(b.d.built, text...)
	b.add(start, kind, false)
}

// Int adds an integer.
func (b *Builder) Int(value int64) {
	start := len(b.d.built)
	b.d.built = strconv.AppendInt(b.d.built, value, 10)
	b.add(start, Integer, false)
}

// Uint adds an integer, which may be beyond 63 bits.
func (b *Builder) Uint(value uint64) {
	start := len(b.d.built)
	b.d.built = strconv.AppendUint(b.d.built, value, 10)
	b.add(start, Integer, false)
}

// Float adds a number; one that JSON cannot hold (infinite, not a number) becomes null.
func (b *Builder) Float(value float64) {
	if math.IsInf(value, 0) || math.IsNaN(value) {
		b.Null()
		return
	}
	start := len(b.d.built)
	b.d.built, _ = AppendFloat(b.d.built, value) // the only error is checked above
	b.add(start, Float, false)
}

// Text adds a string, which must be valid UTF-8. The bytes are copied.
func (b *Builder) Text(value []byte) {
	start := len(b.d.built)
	b.d.built = append(b.d.built, value...)
	b.add(start, String, true)
}

// String adds a string, which must be valid UTF-8.
func (b *Builder) String(value string) {
	start := len(b.d.built)
	b.d.built = append(b.d.built, value...)
	b.add(start, String, true)
}

// Name adds the name of the object's next value; it must be valid UTF-8.
func (b *Builder) Name(name string) { b.String(name) }

// Begin opens an Array or an Object; End closes it.
func (b *Builder) Begin(kind Kind) {
	if b.depth++; b.depth > MaxDepth {
		b.deep = true
	}
	b.open = append(b.open, uint32(len(b.d.entries)))
	b.add(len(b.d.built), kind, false)
}

// End closes what Begin opened last.
func (b *Builder) End() {
	b.depth--
	last := len(b.open) - 1
	place := b.open[last]
	b.open = b.open[:last]
	b.d.entries[place].next = uint32(len(b.d.entries))
}

// Finish completes the document. It fails, and leaves the document empty, if the value is nested more than MaxDepth deep
// or takes more than 4 GiB; the error holds no payload.
func (b *Builder) Finish() error {
	switch {
	case b.deep:
		b.d.entries = b.d.entries[:0]
		return errTooDeep
	case len(b.d.built) > math.MaxUint32:
		b.d.entries = b.d.entries[:0]
		return errTooLarge
	}
	b.d.src = b.d.built
	return nil
}
