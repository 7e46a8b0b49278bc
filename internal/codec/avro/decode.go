package avro

import (
	"errors"
	"fmt"

	hamba "github.com/hamba/avro/v2"

	"streamer/internal/codec/scalar"
	"streamer/internal/document"
)

// decodeFunc reads one value at the cursor and adds it to the document.
type decodeFunc func(c *cursor, b *document.Builder) error

// Decoder reads values of one writer's schema as one reader's schema wants them. It is immutable; any number of goroutines
// may use it, each with a State of its own.
type Decoder struct {
	decode decodeFunc
}

// State is what one goroutine needs to decode. The zero value is ready for use.
type State struct {
	c cursor
	b document.Builder // here and not in Decode, where each call would allocate it
}

// NewDecoder compiles the two schemas against each other; a nil reader is the writer. It fails if no value of the writer's
// could be read. A branch of a union that cannot be read is an error of the values that hold it.
func NewDecoder(writer, reader *Schema) (*Decoder, error) {
	if reader == nil {
		reader = writer
	}
	comp := &compiler{
		decoders: map[pair]*decodeFunc{}, skippers: map[hamba.Schema]*skipFunc{}, sizes: map[hamba.Schema]int{},
	}
	decode, err := comp.decoder(writer.root, reader.root)
	if err != nil {
		return nil, err
	}
	return &Decoder{decode: decode}, nil
}

// Decode fills the document with the value that data is, to its last byte. The document does not refer to data. On an error
// it is empty.
func (p *Decoder) Decode(s *State, d *document.Document, data []byte) error {
	s.c.reset(data)
	s.b = d.Build()
	err := p.decode(&s.c, &s.b)
	if err == nil && s.c.left() > 0 {
		err = errTrailing
	}
	s.c.data = nil // a state that rests must not hold on to a fetch
	if err != nil {
		d.Reset()
		return err
	}
	return s.b.Finish()
}

// pair names a record of the writer and what the reader makes of it.
type pair struct{ writer, reader hamba.Schema }

// compiler turns schemas into closures. Records are compiled once per pair, so that those that contain themselves end.
type compiler struct {
	decoders map[pair]*decodeFunc
	skippers map[hamba.Schema]*skipFunc
	sizes    map[hamba.Schema]int
}

// decoder compiles the schema w of the writer against r of the reader; equal ones are given as the same schema.
func (comp *compiler) decoder(w, r hamba.Schema) (decodeFunc, error) {
	w, r = deref(w), deref(r)
	if union, ok := w.(*hamba.UnionSchema); ok {
		return comp.union(union, r)
	}
	if union, ok := r.(*hamba.UnionSchema); ok {
		branch, ok := pick(w, union)
		if !ok {
			return nil, mismatch(w, r)
		}
		return comp.decoder(w, branch)
	}
	if w != r && !matches(w, r) {
		return nil, mismatch(w, r)
	}
	switch w := w.(type) {
	case *hamba.RecordSchema:
		if r, ok := r.(*hamba.RecordSchema); ok {
			return comp.record(w, r)
		}
	case *hamba.EnumSchema:
		if r, ok := r.(*hamba.EnumSchema); ok {
			return enum(w, r), nil
		}
	case *hamba.FixedSchema:
		return fixed(w, r)
	case *hamba.ArraySchema:
		if r, ok := r.(*hamba.ArraySchema); ok {
			return comp.array(w, r)
		}
	case *hamba.MapSchema:
		if r, ok := r.(*hamba.MapSchema); ok {
			return comp.mapping(w, r)
		}
	}
	return primitive(w, r)
}

func mismatch(w, r hamba.Schema) error {
	return fmt.Errorf("the writer's schema has %s where the reader's has %s", name(w), name(r))
}

// union reads the branch that the data names. A branch that the reader cannot take fails when it comes, not before
// (specification, "Schema resolution").
func (comp *compiler) union(w *hamba.UnionSchema, r hamba.Schema) (decodeFunc, error) {
	branches := make([]decodeFunc, len(w.Types()))
	var failed error
	failures := 0
	for i, branch := range w.Types() {
		target := r
		if hamba.Schema(w) == r {
			target = branch
		}
		decode, err := comp.decoder(branch, target)
		if err != nil {
			failed = err
			failures++
			decode = refuse(err)
		}
		branches[i] = decode
	}
	if failures == len(branches) && failures > 0 {
		return nil, failed
	}
	return func(c *cursor, b *document.Builder) error {
		index, err := c.long()
		if err != nil {
			return err
		}
		if index < 0 || index >= int64(len(branches)) {
			return errBranch
		}
		return branches[index](c, b)
	}, nil
}

// refuse fails for every value. A path error would be lengthened by each.
func refuse(err error) decodeFunc {
	err = errors.New(err.Error())
	return func(*cursor, *document.Builder) error { return err }
}

var errBranch = errors.New("union has no such branch")

func (comp *compiler) array(w, r *hamba.ArraySchema) (decodeFunc, error) {
	items, err := comp.decoder(w.Items(), r.Items())
	if err != nil {
		return nil, scalar.At(err, scalar.Item)
	}
	least := comp.leastSize(w.Items())
	return func(c *cursor, b *document.Builder) error {
		if err := c.enter(); err != nil {
			return err
		}
		b.Begin(document.Array)
		for {
			count, _, err := c.block(least)
			if err != nil {
				return err
			}
			if count == 0 {
				break
			}
			for range count {
				if err := items(c, b); err != nil {
					return scalar.At(err, scalar.Item)
				}
			}
		}
		b.End()
		c.leave()
		return nil
	}, nil
}

func (comp *compiler) mapping(w, r *hamba.MapSchema) (decodeFunc, error) {
	values, err := comp.decoder(w.Values(), r.Values())
	if err != nil {
		return nil, scalar.At(err, scalar.Item)
	}
	least := 1 + comp.leastSize(w.Values())
	return func(c *cursor, b *document.Builder) error {
		if err := c.enter(); err != nil {
			return err
		}
		b.Begin(document.Object)
		for {
			count, _, err := c.block(least)
			if err != nil {
				return err
			}
			if count == 0 {
				break
			}
			for range count {
				if err := text(c, b); err != nil { // a name is a String too
					return err
				}
				if err := values(c, b); err != nil {
					return scalar.At(err, scalar.Item)
				}
			}
		}
		b.End()
		c.leave()
		return nil
	}, nil
}

// leastSize is the least number of bytes that a value takes. A record that contains itself does so behind a union, an array
// or a map, which take one byte at least; one that does not has no values, and any answer will do.
func (comp *compiler) leastSize(schema hamba.Schema) int {
	switch schema := deref(schema).(type) {
	case *hamba.NullSchema:
		return 0
	case *hamba.FixedSchema:
		return schema.Size()
	case *hamba.RecordSchema:
		size, known := comp.sizes[schema]
		if known {
			return size
		}
		comp.sizes[schema] = 0
		for _, field := range schema.Fields() {
			size = min(size+comp.leastSize(field.Type()), maxFixed)
		}
		comp.sizes[schema] = size
		return size
	case *hamba.PrimitiveSchema:
		switch schema.Type() { //nolint:exhaustive // the others are numbers, lengths and truth values
		case hamba.Float:
			return 4
		case hamba.Double:
			return 8
		}
	}
	return 1
}
