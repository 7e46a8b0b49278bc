package protobuf

import (
	"cmp"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// form is how a message looks in a document.
type form uint8

const (
	plain     form = iota // an object
	timestamp             // google.protobuf.Timestamp: text, RFC 3339
	duration              // google.protobuf.Duration: text, 1.5s
	wrapper               // google.protobuf.Int64Value and the like, Struct and ListValue: the value of their only field
	dynamic               // google.protobuf.Value: any value
)

// forms are the messages that are no objects.
func formOf(name protoreflect.FullName) form {
	switch name {
	case "google.protobuf.Timestamp":
		return timestamp
	case "google.protobuf.Duration":
		return duration
	case "google.protobuf.Value":
		return dynamic
	case "google.protobuf.Struct", "google.protobuf.ListValue", "google.protobuf.BoolValue", "google.protobuf.BytesValue",
		"google.protobuf.DoubleValue", "google.protobuf.FloatValue", "google.protobuf.Int32Value",
		"google.protobuf.Int64Value", "google.protobuf.StringValue", "google.protobuf.UInt32Value",
		"google.protobuf.UInt64Value":
		return wrapper
	}
	return plain
}

// message is the plan for one type of message. Plans are immutable once made, and may contain themselves.
type message struct {
	form   form
	fields []field // in the order of the schema
	order  []int   // places of the fields by number, the order in which they are written
	places map[protowire.Number]int
	dense  []int16 // places of small numbers, plus 1; 0 is no field
	names  map[string]int
	oneofs [][]int // places of the members
}

type field struct {
	name     string
	number   protowire.Number
	kind     protoreflect.Kind
	wire     protowire.Type // of a single value
	list     bool
	mapping  bool // message is then the entry's, with the fields key and value
	packable bool // may be packed
	packed   bool // is written packed
	required bool
	implicit bool  // absent means zero
	rivals   []int // the other members of its oneof
	message  *message
	enum     *enum
}

type enum struct {
	null    bool // google.protobuf.NullValue
	closed  bool
	zero    protoreflect.EnumNumber
	names   map[protoreflect.EnumNumber]string
	numbers map[string]protoreflect.EnumNumber
}

// planner makes each plan once, so that messages that contain themselves end.
type planner map[protoreflect.FullName]*message

func (p planner) message(desc protoreflect.MessageDescriptor) *message {
	if known := p[desc.FullName()]; known != nil {
		return known
	}
	m := &message{form: formOf(desc.FullName()), places: map[protowire.Number]int{}, names: map[string]int{}}
	p[desc.FullName()] = m
	fields := desc.Fields()
	m.fields = make([]field, fields.Len())
	for i := range fields.Len() {
		f := p.field(fields.Get(i))
		m.fields[i] = f
		m.places[f.number] = i
		m.names[f.name] = i
		m.order = append(m.order, i)
	}
	slices.SortFunc(m.order, func(a, b int) int { return cmp.Compare(m.fields[a].number, m.fields[b].number) })
	m.index()
	m.rivals(desc.Oneofs())
	return m
}

// index puts the places of small numbers into a table: nearly all fields have one.
func (m *message) index() {
	const small = 128
	m.dense = make([]int16, small)
	for number, place := range m.places {
		if number < small {
			m.dense[number] = int16(place + 1)
		}
	}
}

func (m *message) place(number protowire.Number) int {
	if int(number) < len(m.dense) {
		return int(m.dense[number]) - 1
	}
	if place, ok := m.places[number]; ok {
		return place
	}
	return -1
}

func (m *message) rivals(oneofs protoreflect.OneofDescriptors) {
	for i := range oneofs.Len() {
		if oneofs.Get(i).IsSynthetic() {
			continue
		}
		var members []int
		for j := range oneofs.Get(i).Fields().Len() {
			members = append(members, m.places[oneofs.Get(i).Fields().Get(j).Number()])
		}
		for _, place := range members {
			for _, other := range members {
				if other != place {
					m.fields[place].rivals = append(m.fields[place].rivals, other)
				}
			}
		}
		m.oneofs = append(m.oneofs, members)
	}
}

func (p planner) field(desc protoreflect.FieldDescriptor) field {
	f := field{
		name:     string(desc.Name()),
		number:   desc.Number(),
		kind:     desc.Kind(),
		wire:     wireOf(desc.Kind()),
		list:     desc.IsList(),
		mapping:  desc.IsMap(),
		packed:   desc.IsPacked(),
		required: desc.Cardinality() == protoreflect.Required,
		implicit: !desc.HasPresence(),
	}
	f.packable = f.list && f.wire != protowire.BytesType && f.wire != protowire.StartGroupType
	if desc.Message() != nil {
		f.message = p.message(desc.Message())
	}
	if desc.Enum() != nil {
		f.enum = enumOf(desc.Enum())
	}
	return f
}

func enumOf(desc protoreflect.EnumDescriptor) *enum {
	e := &enum{
		null:    desc.FullName() == "google.protobuf.NullValue",
		closed:  desc.IsClosed(),
		names:   map[protoreflect.EnumNumber]string{},
		numbers: map[string]protoreflect.EnumNumber{},
	}
	values := desc.Values()
	e.zero = values.Get(0).Number()
	for i := range values.Len() {
		name, number := string(values.Get(i).Name()), values.Get(i).Number()
		if _, alias := e.names[number]; !alias {
			e.names[number] = name
		}
		e.numbers[name] = number
	}
	return e
}

func wireOf(kind protoreflect.Kind) protowire.Type {
	switch kind {
	case protoreflect.DoubleKind, protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind:
		return protowire.Fixed64Type
	case protoreflect.FloatKind, protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind:
		return protowire.Fixed32Type
	case protoreflect.StringKind, protoreflect.BytesKind, protoreflect.MessageKind:
		return protowire.BytesType
	case protoreflect.GroupKind:
		return protowire.StartGroupType
	default:
		return protowire.VarintType
	}
}
