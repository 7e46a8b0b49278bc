package protobuf

import (
	"math"
	"strconv"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"streamer/internal/codec/scalar"
	"streamer/internal/document"
)

// Decoder reads one type of message. It is immutable; any number of goroutines may use it, each with a State of its own.
type Decoder struct{ plan *message }

// NewDecoder makes a plan for the message.
func NewDecoder(m Message) *Decoder { return &Decoder{plan: planner{}.message(m.desc)} }

// Decode fills the document with the message that data is. The document does not refer to data. On an error it is empty.
func (p *Decoder) Decode(s *State, d *document.Document, data []byte) error {
	s.reset(data)
	s.b = d.Build()
	err := s.message(p.plan, 1, false)
	s.data = nil // a state that rests must not hold on to a fetch
	if err != nil {
		d.Reset()
		return err
	}
	return s.b.Finish()
}

// message adds the message whose bytes are those of an occurrence, or, if they are merged, of all that follow it.
func (s *State) message(m *message, first int, merged bool) error {
	occurrences, slots := len(s.occurrences), len(s.slots)
	for range m.fields {
		s.slots = append(s.slots, slot{})
	}
	for place := first; place != 0; place = s.occurrences[place-1].next {
		if err := s.scan(m, slots, s.occurrences[place-1].start, s.occurrences[place-1].end); err != nil {
			return err
		}
		if !merged {
			break
		}
	}
	if err := s.write(m, slots); err != nil {
		return err
	}
	s.occurrences, s.slots = s.occurrences[:occurrences], s.slots[:slots]
	return nil
}

// write adds what scan found.
func (s *State) write(m *message, slots int) error {
	switch m.form {
	case timestamp, duration:
		return s.time(m, slots)
	case wrapper:
		return s.value(&m.fields[0], s.slots[slots].first)
	case dynamic:
		for i := range m.fields {
			if first := s.slots[slots+i].first; first != 0 {
				return s.value(&m.fields[i], first)
			}
		}
		s.b.Null()
		return nil
	case plain:
	}
	if err := s.enter(); err != nil {
		return err
	}
	s.b.Begin(document.Object)
	for i := range m.fields {
		f, first := &m.fields[i], s.slots[slots+i].first
		switch {
		case first == 0 && f.required:
			return scalar.At(errMissing, f.name)
		case first == 0 && !f.implicit:
			continue
		}
		s.b.Name(f.name)
		if err := s.value(f, first); err != nil {
			return scalar.At(err, f.name)
		}
	}
	s.b.End()
	s.depth--
	return nil
}

// value adds a whole field: all occurrences of a list or a map, else the one, or the zero value if there is none.
func (s *State) value(f *field, first int) error {
	switch {
	case f.mapping:
		return s.mapping(f, first)
	case f.list:
		return s.list(f, first)
	case first == 0:
		return s.zero(f)
	case f.message != nil:
		return s.message(f.message, first, true)
	default:
		o := &s.occurrences[first-1]
		return s.scalar(f, o.value, s.data[o.start:o.end])
	}
}

// zero adds the value of a field that is not set.
func (s *State) zero(f *field) error {
	if s.filled++; s.filled > maxFilled {
		return errFilled
	}
	if f.message != nil {
		s.occurrences = append(s.occurrences, occurrence{})
		err := s.message(f.message, len(s.occurrences), false)
		s.occurrences = s.occurrences[:len(s.occurrences)-1]
		return err
	}
	value := uint64(0)
	if f.enum != nil {
		value = uint64(f.enum.zero)
	}
	return s.scalar(f, value, nil)
}

func (s *State) list(f *field, first int) error {
	if err := s.enter(); err != nil {
		return err
	}
	if s.filled++; s.filled > maxFilled {
		return errFilled
	}
	s.b.Begin(document.Array)
	for place := first; place != 0; place = s.occurrences[place-1].next {
		o := s.occurrences[place-1]
		var err error
		switch {
		case f.message != nil:
			err = s.message(f.message, place, false)
		case o.wire == protowire.BytesType && f.packable:
			err = s.unpack(f, s.data[o.start:o.end])
		default:
			err = s.scalar(f, o.value, s.data[o.start:o.end])
		}
		if err != nil {
			return scalar.At(err, scalar.Item)
		}
	}
	s.b.End()
	s.depth--
	return nil
}

func (s *State) unpack(f *field, data []byte) error {
	for len(data) > 0 {
		var value uint64
		var n int
		switch f.wire {
		case protowire.Fixed32Type:
			var small uint32
			small, n = protowire.ConsumeFixed32(data)
			value = uint64(small)
		case protowire.Fixed64Type:
			value, n = protowire.ConsumeFixed64(data)
		default:
			value, n = protowire.ConsumeVarint(data)
		}
		if n < 0 {
			return errWire
		}
		data = data[n:]
		if err := s.scalar(f, value, nil); err != nil {
			return err
		}
	}
	return nil
}

// mapping adds the entries as they come. A key that is repeated, which no serializer writes, comes as often; the last one
// counts, in documents as in Protocol Buffers.
func (s *State) mapping(f *field, first int) error {
	if err := s.enter(); err != nil {
		return err
	}
	if s.filled++; s.filled > maxFilled {
		return errFilled
	}
	s.b.Begin(document.Object)
	key, value := &f.message.fields[0], &f.message.fields[1]
	for place := first; place != 0; place = s.occurrences[place-1].next {
		occurrences, slots := len(s.occurrences), len(s.slots)
		s.slots = append(s.slots, slot{}, slot{})
		if err := s.scan(f.message, slots, s.occurrences[place-1].start, s.occurrences[place-1].end); err != nil {
			return scalar.At(err, scalar.Item)
		}
		if err := s.key(key, s.slots[slots].first); err != nil {
			return scalar.At(err, scalar.Item)
		}
		if err := s.value(value, s.slots[slots+1].first); err != nil {
			return scalar.At(err, scalar.Item)
		}
		s.occurrences, s.slots = s.occurrences[:occurrences], s.slots[:slots]
	}
	s.b.End()
	s.depth--
	return nil
}

// key adds the key of an entry as a name.
func (s *State) key(f *field, place int) error {
	var o occurrence
	if place != 0 {
		o = s.occurrences[place-1]
	}
	switch f.kind {
	case protoreflect.StringKind:
		return s.scalar(f, 0, s.data[o.start:o.end])
	case protoreflect.BoolKind:
		s.scratch = strconv.AppendBool(s.scratch[:0], o.value != 0)
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind, protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		s.scratch = strconv.AppendUint(s.scratch[:0], unsigned(f.kind, o.value), 10)
	default:
		s.scratch = strconv.AppendInt(s.scratch[:0], signed(f.kind, o.value), 10)
	}
	s.b.Text(s.scratch)
	return nil
}

func unsigned(kind protoreflect.Kind, value uint64) uint64 {
	if kind == protoreflect.Uint32Kind || kind == protoreflect.Fixed32Kind {
		return uint64(uint32(value))
	}
	return value
}

func signed(kind protoreflect.Kind, value uint64) int64 {
	switch kind { //nolint:exhaustive // the others have 64 bits
	case protoreflect.Int32Kind, protoreflect.Sfixed32Kind:
		return int64(int32(value))
	case protoreflect.Sint32Kind:
		return int64(int32(protowire.DecodeZigZag(value & math.MaxUint32)))
	case protoreflect.Sint64Kind:
		return protowire.DecodeZigZag(value)
	}
	return int64(value)
}

// scalar adds one value that is no message.
func (s *State) scalar(f *field, value uint64, bytes []byte) error {
	switch f.kind {
	case protoreflect.BoolKind:
		s.b.Bool(value != 0)
	case protoreflect.EnumKind:
		s.enum(f.enum, protoreflect.EnumNumber(value))
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind, protoreflect.Int64Kind,
		protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		s.b.Int(signed(f.kind, value))
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind, protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		s.b.Uint(unsigned(f.kind, value))
	case protoreflect.FloatKind:
		return scalar.AddFloat32(&s.b, math.Float32frombits(uint32(value)))
	case protoreflect.DoubleKind:
		return scalar.AddFloat(&s.b, math.Float64frombits(value))
	case protoreflect.StringKind:
		if !utf8.Valid(bytes) {
			return errUTF8
		}
		s.b.Text(bytes)
	case protoreflect.BytesKind:
		s.addBytes(bytes)
	case protoreflect.MessageKind, protoreflect.GroupKind:
	}
	return nil
}

// enum adds the name of a value, or its number if the schema has no name for it.
func (s *State) enum(e *enum, number protoreflect.EnumNumber) {
	name, ok := e.names[number]
	switch {
	case e.null:
		s.b.Null()
	case ok:
		s.b.String(name)
	default:
		s.b.Int(int64(number))
	}
}
