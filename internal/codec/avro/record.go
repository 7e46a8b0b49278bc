package avro

import (
	"errors"
	"slices"

	hamba "github.com/hamba/avro/v2"

	"streamer/internal/codec/scalar"
	"streamer/internal/document"
)

// step is one field of a record: one that both sides know, one that the reader leaves out, or one that the writer lacks.
type step struct {
	name     string
	from     int // the place of the writer's field; -1 if the writer lacks it
	decode   decodeFunc
	skip     skipFunc // set if the reader leaves the field out
	fallback []byte   // the reader's default, encoded
}

func (comp *compiler) record(w, r *hamba.RecordSchema) (decodeFunc, error) {
	key := pair{w, r}
	if known := comp.decoders[key]; known != nil {
		if *known != nil {
			return *known, nil
		}
		return func(c *cursor, b *document.Builder) error { return (*known)(c, b) }, nil
	}
	compiled := new(decodeFunc)
	comp.decoders[key] = compiled
	steps, err := comp.wanted(w, r)
	if err != nil {
		delete(comp.decoders, key)
		*compiled = refuse(err) // a record inside that was compiled may lead back here
		return nil, err
	}
	if inOrder(steps) {
		*compiled = inWritersOrder(comp.withSkips(w, steps))
	} else {
		*compiled = inReadersOrder(comp.skippersOf(w), steps)
	}
	return *compiled, nil
}

// wanted returns the reader's fields, in the reader's order.
func (comp *compiler) wanted(w, r *hamba.RecordSchema) ([]step, error) {
	steps := make([]step, 0, len(r.Fields()))
	for _, field := range r.Fields() {
		s := step{name: field.Name(), from: source(w, field)}
		var err error
		switch {
		case s.from >= 0:
			s.decode, err = comp.decoder(w.Fields()[s.from].Type(), field.Type())
		case !field.HasDefault():
			err = errors.New("the writer's schema lacks it, and the reader's has no default")
		default:
			if s.fallback, err = appendDefault(nil, field.Type(), field.Default(), 0); err == nil {
				s.decode, err = comp.decoder(field.Type(), field.Type())
			}
		}
		if err != nil {
			return nil, scalar.At(err, field.Name())
		}
		steps = append(steps, s)
	}
	return steps, nil
}

// source finds the writer's field for one of the reader's, by name and then by alias.
func source(w *hamba.RecordSchema, field *hamba.Field) int {
	byName := func(name string) int {
		return slices.IndexFunc(w.Fields(), func(f *hamba.Field) bool { return f.Name() == name })
	}
	place := byName(field.Name())
	for _, alias := range field.Aliases() {
		if place < 0 {
			place = byName(alias)
		}
	}
	return place
}

// inOrder reports whether the fields come in the data as the reader wants them.
func inOrder(steps []step) bool {
	last := -1
	for _, s := range steps {
		if s.from < 0 {
			continue
		}
		if s.from <= last {
			return false
		}
		last = s.from
	}
	return true
}

// withSkips adds the writer's fields that the reader leaves out.
func (comp *compiler) withSkips(w *hamba.RecordSchema, steps []step) []step {
	all := make([]step, 0, len(steps))
	next := 0
	skipTo := func(end int) {
		for ; next < end; next++ {
			field := w.Fields()[next]
			all = append(all, step{name: field.Name(), skip: comp.skipper(field.Type())})
		}
	}
	for _, s := range steps {
		if s.from >= 0 {
			skipTo(s.from)
			next = s.from + 1
		}
		all = append(all, s)
	}
	skipTo(len(w.Fields()))
	return all
}

func (comp *compiler) skippersOf(w *hamba.RecordSchema) []skipFunc {
	skippers := make([]skipFunc, len(w.Fields()))
	for i, field := range w.Fields() {
		skippers[i] = comp.skipper(field.Type())
	}
	return skippers
}

func inWritersOrder(steps []step) decodeFunc {
	return func(c *cursor, b *document.Builder) error {
		if err := c.enter(); err != nil {
			return err
		}
		b.Begin(document.Object)
		for i := range steps {
			if err := steps[i].run(c, b); err != nil {
				return scalar.At(err, steps[i].name)
			}
		}
		b.End()
		c.leave()
		return nil
	}
}

// inReadersOrder finds where the writer's fields begin, and then reads them in the order in which the reader has them.
func inReadersOrder(skippers []skipFunc, steps []step) decodeFunc {
	return func(c *cursor, b *document.Builder) error {
		if err := c.enter(); err != nil {
			return err
		}
		base, empty := len(c.starts), c.empty
		for _, skip := range skippers {
			c.starts = append(c.starts, c.at)
			if err := skip(c); err != nil {
				return err
			}
		}
		end := c.at
		c.empty = empty // the same items are counted when they are read
		b.Begin(document.Object)
		for i := range steps {
			if from := steps[i].from; from >= 0 {
				c.at = c.starts[base+from]
			}
			if err := steps[i].run(c, b); err != nil {
				return scalar.At(err, steps[i].name)
			}
		}
		b.End()
		c.at, c.starts = end, c.starts[:base]
		c.leave()
		return nil
	}
}

func (s *step) run(c *cursor, b *document.Builder) error {
	if s.skip != nil {
		return s.skip(c)
	}
	b.Name(s.name)
	if s.from >= 0 {
		return s.decode(c, b)
	}
	if c.filled++; c.filled > maxFilled {
		return errFilled
	}
	data, at := c.data, c.at
	c.data, c.at = s.fallback, 0
	err := s.decode(c, b)
	c.data, c.at = data, at
	return err
}
