package protobuf

import (
	"encoding/base64"
	"errors"

	"google.golang.org/protobuf/encoding/protowire"

	"streamer/internal/document"
)

// What is wrong with bytes, whatever their schema.
var (
	errWire    = errors.New("data is malformed or ends inside a field")
	errUTF8    = errors.New("string is not valid UTF-8")
	errDeep    = errors.New("values are nested more than 512 deep")
	errMissing = errors.New("is required and missing")
	errFilled  = errors.New("fields that are not set make the value too large")
)

// maxFilled is how many zero values, which take no bytes in the data, one value may have. Without a bound a list of empty
// messages with many fields would fill the memory.
const maxFilled = 1 << 20

// occurrence is one field in the data. The same field may occur several times, in any order.
type occurrence struct {
	value      uint64 // of a varint or fixed type
	start, end int    // of the bytes of any other
	next       int    // the field's next occurrence, plus 1; 0 is none
	wire       protowire.Type
}

// slot is the occurrences of one field: places plus 1; 0 is none.
type slot struct{ first, last int }

// State is what one goroutine needs to decode. The zero value is ready for use.
type State struct {
	b           document.Builder
	data        []byte
	occurrences []occurrence // a stack: those of a message go when it is done
	slots       []slot       // likewise
	depth       int
	filled      int
	scratch     []byte
}

func (s *State) reset(data []byte) {
	const maxKept = 4096 // of each, some 128 KiB
	if cap(s.occurrences) > maxKept {
		s.occurrences = nil
	}
	if cap(s.slots) > maxKept {
		s.slots = nil
	}
	if cap(s.scratch) > 16*maxKept {
		s.scratch = nil
	}
	s.data, s.depth, s.filled = data, 0, 0
	s.occurrences, s.slots = append(s.occurrences[:0], occurrence{end: len(data)}), s.slots[:0]
}

func (s *State) enter() error {
	if s.depth++; s.depth > document.MaxDepth {
		return errDeep
	}
	return nil
}

// scan notes where the fields of one part of a message are. Unknown fields are passed over, and so are known ones of
// another wire type, as Protocol Buffers has it.
func (s *State) scan(m *message, slots, at, end int) error {
	for at < end {
		number, wire, n := protowire.ConsumeTag(s.data[at:end])
		if n < 0 || number > protowire.MaxValidNumber {
			return errWire
		}
		at += n
		o := occurrence{wire: wire}
		switch wire {
		case protowire.VarintType:
			o.value, n = protowire.ConsumeVarint(s.data[at:end])
		case protowire.Fixed32Type:
			var value uint32
			value, n = protowire.ConsumeFixed32(s.data[at:end])
			o.value = uint64(value)
		case protowire.Fixed64Type:
			o.value, n = protowire.ConsumeFixed64(s.data[at:end])
		case protowire.BytesType:
			var value []byte
			value, n = protowire.ConsumeBytes(s.data[at:end])
			o.start, o.end = at+n-len(value), at+n
		case protowire.StartGroupType:
			var value []byte
			value, n = protowire.ConsumeGroup(number, s.data[at:end])
			o.start, o.end = at, at+len(value)
		default: // the end of a group that has not begun, or a type that there is not
			return errWire
		}
		if n < 0 {
			return errWire
		}
		at += n
		if place := m.place(number); place >= 0 {
			s.note(m, slots, place, o)
		}
	}
	return nil
}

// note adds an occurrence to its field: behind the others if they belong together, else in place of the one before.
func (s *State) note(m *message, slots, place int, o occurrence) {
	f, to := &m.fields[place], &s.slots[slots+place]
	if o.wire != f.wire && (!f.packable || o.wire != protowire.BytesType) {
		return
	}
	for _, rival := range f.rivals {
		s.slots[slots+rival] = slot{}
	}
	joined := f.list || f.mapping || f.message != nil // parts of a single message are merged
	if !joined && to.first != 0 {
		s.occurrences[to.first-1] = o
		return
	}
	s.occurrences = append(s.occurrences, o)
	here := len(s.occurrences)
	if to.first == 0 {
		to.first = here
	} else {
		s.occurrences[to.last-1].next = here
	}
	to.last = here
}

func (s *State) addBytes(bytes []byte) {
	s.scratch = base64.StdEncoding.AppendEncode(s.scratch[:0], bytes)
	s.b.Text(s.scratch)
}
