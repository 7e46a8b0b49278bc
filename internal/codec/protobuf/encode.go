package protobuf

import (
	"errors"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"streamer/internal/codec/scalar"
	"streamer/internal/document"
)

var (
	errOneof  = errors.New("another field of the same oneof is set too")
	errSymbol = errors.New("enum has no such value")
	errKey    = errors.New("name is not a key of the map's type")
)

// Program writes one type of message. It is immutable; any number of goroutines may use it, each with an Encoder of its
// own.
type Program struct{ plan *message }

// Encoder is what one goroutine needs to encode. The zero value is ready for use.
type Encoder struct {
	d     *document.Document
	depth int
	found []document.Node // the fields of the messages that are being written
}

// NewEncoder makes a plan for the message.
func NewEncoder(m Message) *Program { return &Program{plan: planner{}.message(m.desc)} }

// Append appends node n of d. On an error it returns dst as it was.
func (p *Program) Append(e *Encoder, dst []byte, d *document.Document, n document.Node) ([]byte, error) {
	e.d, e.depth, e.found = d, 0, e.found[:0]
	out, err := e.message(p.plan, dst, n)
	e.d = nil
	if err != nil {
		return dst, err
	}
	return out, nil
}

func (e *Encoder) enter() error {
	if e.depth++; e.depth > document.MaxDepth {
		return errDeep
	}
	return nil
}

// message appends the fields of a message.
func (e *Encoder) message(m *message, dst []byte, n document.Node) ([]byte, error) {
	switch m.form {
	case timestamp, duration:
		return e.time(m, dst, n)
	case wrapper:
		return e.field(&m.fields[0], dst, n)
	case dynamic:
		return e.dynamic(m, dst, n)
	case plain:
	}
	if kind := e.d.Kind(n); kind != document.Object {
		return dst, scalar.Wants("message", kind)
	}
	if err := e.enter(); err != nil {
		return dst, err
	}
	base := len(e.found)
	e.find(m, n)
	if err := e.exclusive(m, base); err != nil {
		return dst, err
	}
	for _, place := range m.order {
		f, value := &m.fields[place], e.found[base+place]
		if e.absent(f, value) {
			if f.required {
				return dst, scalar.At(errMissing, f.name)
			}
			continue
		}
		var err error
		if dst, err = e.field(f, dst, value); err != nil {
			return dst, scalar.At(err, f.name)
		}
	}
	e.found = e.found[:base]
	e.depth--
	return dst, nil
}

// find appends the value of each field to e.found, None for one that is not there. Names that the message lacks are left
// out; of one that is repeated the last value counts.
func (e *Encoder) find(m *message, n document.Node) {
	base := len(e.found)
	for range m.fields {
		e.found = append(e.found, document.None)
	}
	next := 0
	for name, value := range e.d.Children(n) {
		text := e.d.Text(name)
		place := next // most objects have the order of the schema
		if place >= len(m.fields) || m.fields[place].name != string(text) {
			var ok bool
			if place, ok = m.names[string(text)]; !ok {
				continue
			}
		}
		e.found[base+place] = value
		next = place + 1
	}
}

// absent reports whether a field is not set: null is as good as missing, but for a Value, which can hold it.
func (e *Encoder) absent(f *field, n document.Node) bool {
	switch e.d.Kind(n) { //nolint:exhaustive // everything else is a value
	case document.Missing:
		return true
	case document.Null:
		return f.list || f.mapping || f.message == nil || f.message.form != dynamic
	}
	return false
}

// exclusive checks that of each oneof at most one member is set.
func (e *Encoder) exclusive(m *message, base int) error {
	for _, members := range m.oneofs {
		set := false
		for _, place := range members {
			if e.absent(&m.fields[place], e.found[base+place]) {
				continue
			}
			if set {
				return scalar.At(errOneof, m.fields[place].name)
			}
			set = true
		}
	}
	return nil
}

// dynamic appends any value as google.protobuf.Value.
func (e *Encoder) dynamic(m *message, dst []byte, n document.Node) ([]byte, error) {
	number := protowire.Number(0)
	switch e.d.Kind(n) {
	case document.Missing, document.Null:
		number = 1
	case document.Integer, document.Float:
		number = 2
	case document.String:
		number = 3
	case document.False, document.True:
		number = 4
	case document.Object:
		number = 5
	case document.Array:
		number = 6
	}
	return e.field(&m.fields[m.place(number)], dst, n)
}

// field appends a whole field with its tags.
func (e *Encoder) field(f *field, dst []byte, n document.Node) ([]byte, error) {
	switch {
	case f.mapping:
		return e.mapping(f, dst, n)
	case f.list:
		return e.list(f, dst, n)
	case !f.implicit:
		return e.single(f, dst, n)
	}
	start := len(dst)
	dst = protowire.AppendTag(dst, f.number, f.wire)
	value := len(dst)
	dst, err := e.value(f, dst, n)
	if err == nil && zero(dst[value:]) { // -0.0 is not: its sign is a bit
		dst = dst[:start]
	}
	return dst, err
}

// zero reports whether the bytes are those of a zero value: of a number, or of a text's length.
func zero(bytes []byte) bool {
	return !slices.ContainsFunc(bytes, func(b byte) bool { return b != 0 })
}

// single appends one value with its tag.
func (e *Encoder) single(f *field, dst []byte, n document.Node) ([]byte, error) {
	dst = protowire.AppendTag(dst, f.number, f.wire)
	dst, err := e.value(f, dst, n)
	if err == nil && f.kind == protoreflect.GroupKind {
		dst = protowire.AppendTag(dst, f.number, protowire.EndGroupType)
	}
	return dst, err
}

func (e *Encoder) list(f *field, dst []byte, n document.Node) ([]byte, error) {
	if kind := e.d.Kind(n); kind != document.Array {
		return dst, scalar.Wants("repeated field", kind)
	}
	if err := e.enter(); err != nil {
		return dst, err
	}
	start := len(dst)
	if f.packed {
		dst = append(protowire.AppendTag(dst, f.number, protowire.BytesType), 0)
	}
	content := len(dst)
	for _, item := range e.d.Children(n) {
		var err error
		if f.packed {
			dst, err = e.value(f, dst, item)
		} else {
			dst, err = e.single(f, dst, item)
		}
		if err != nil {
			return dst, scalar.At(err, scalar.Item)
		}
	}
	e.depth--
	switch {
	case !f.packed:
		return dst, nil
	case len(dst) == content: // an empty list takes no bytes
		return dst[:start], nil
	}
	return measured(dst, content), nil
}

func (e *Encoder) mapping(f *field, dst []byte, n document.Node) ([]byte, error) {
	if kind := e.d.Kind(n); kind != document.Object {
		return dst, scalar.Wants("map", kind)
	}
	if err := e.enter(); err != nil {
		return dst, err
	}
	key, value := &f.message.fields[0], &f.message.fields[1]
	for name, child := range e.d.Children(n) {
		dst = append(protowire.AppendTag(dst, f.number, protowire.BytesType), 0)
		content := len(dst)
		var err error
		if dst, err = appendKey(key, dst, e.d.Text(name)); err != nil {
			return dst, scalar.At(err, scalar.Item)
		}
		if dst, err = e.single(value, dst, child); err != nil {
			return dst, scalar.At(err, scalar.Item)
		}
		dst = measured(dst, content)
	}
	e.depth--
	return dst, nil
}

// measured writes the length of what begins at content into the byte before it, and makes room if one is not enough.
func measured(dst []byte, content int) []byte {
	length := uint64(len(dst) - content)
	size := protowire.SizeVarint(length)
	if size > 1 {
		dst = append(dst, make([]byte, size-1)...)
		copy(dst[content+size-1:], dst[content:content+int(length)])
	}
	protowire.AppendVarint(dst[:content-1], length)
	return dst
}
