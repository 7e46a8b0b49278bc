package protobuf

import (
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"streamer/internal/codec/scalar"
	"streamer/internal/document"
)

// value appends one value without its tag.
func (e *Encoder) value(f *field, dst []byte, n document.Node) ([]byte, error) {
	switch f.kind {
	case protoreflect.MessageKind:
		content := len(dst) + 1
		dst, err := e.message(f.message, append(dst, 0), n)
		if err != nil {
			return dst, err
		}
		return measured(dst, content), nil
	case protoreflect.GroupKind:
		return e.message(f.message, dst, n)
	case protoreflect.StringKind:
		if kind := e.d.Kind(n); kind != document.String {
			return dst, scalar.Wants("string", kind)
		}
		return protowire.AppendBytes(dst, e.d.Text(n)), nil
	case protoreflect.BytesKind:
		content := len(dst) + 1
		dst, err := scalar.AppendBytes(append(dst, 0), e.d, n, "bytes")
		if err != nil {
			return dst, err
		}
		return measured(dst, content), nil
	case protoreflect.BoolKind:
		return e.boolean(dst, n)
	case protoreflect.EnumKind:
		return e.enum(f.enum, dst, n)
	case protoreflect.FloatKind:
		value, err := scalar.Float32(e.d, n, "float")
		return protowire.AppendFixed32(dst, math.Float32bits(value)), err
	case protoreflect.DoubleKind:
		value, err := scalar.Float(e.d, n, "double")
		return protowire.AppendFixed64(dst, math.Float64bits(value)), err
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		value, err := scalar.Uint(e.d, n, math.MaxUint32, f.kind.String())
		return appendNumber(f.kind, dst, value), err
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		value, err := scalar.Uint(e.d, n, math.MaxUint64, f.kind.String())
		return appendNumber(f.kind, dst, value), err
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		value, err := scalar.Int(e.d, n, math.MinInt32, math.MaxInt32, f.kind.String())
		return appendNumber(f.kind, dst, uint64(value)), err
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
	}
	value, err := scalar.Int(e.d, n, math.MinInt64, math.MaxInt64, f.kind.String())
	return appendNumber(f.kind, dst, uint64(value)), err
}

func appendNumber(kind protoreflect.Kind, dst []byte, value uint64) []byte {
	switch kind { //nolint:exhaustive // the others are varints as they are
	case protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind:
		return protowire.AppendFixed32(dst, uint32(value))
	case protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind:
		return protowire.AppendFixed64(dst, value)
	case protoreflect.Sint32Kind, protoreflect.Sint64Kind:
		return protowire.AppendVarint(dst, protowire.EncodeZigZag(int64(value)))
	}
	return protowire.AppendVarint(dst, value)
}

func (e *Encoder) boolean(dst []byte, n document.Node) ([]byte, error) {
	switch kind := e.d.Kind(n); kind {
	case document.False:
		return append(dst, 0), nil
	case document.True:
		return append(dst, 1), nil
	default:
		return dst, scalar.Wants("bool", kind)
	}
}

// enum appends a value by its name, or by its number; a number without a name only if the enum is open.
func (e *Encoder) enum(enum *enum, dst []byte, n document.Node) ([]byte, error) {
	kind := e.d.Kind(n)
	switch {
	case enum.null && kind == document.Null:
		return append(dst, 0), nil
	case kind == document.String:
		number, ok := enum.numbers[string(e.d.Text(n))]
		if !ok {
			return dst, errSymbol
		}
		return protowire.AppendVarint(dst, uint64(number)), nil
	}
	number, err := scalar.Int(e.d, n, math.MinInt32, math.MaxInt32, "enum")
	if err != nil {
		return dst, err
	}
	if _, known := enum.names[protoreflect.EnumNumber(number)]; !known && enum.closed {
		return dst, errSymbol
	}
	return protowire.AppendVarint(dst, uint64(number)), nil
}

// appendKey appends the key of a map's entry, tag and value.
func appendKey(f *field, dst, text []byte) ([]byte, error) {
	dst = protowire.AppendTag(dst, f.number, f.wire)
	var value uint64
	var err error
	switch f.kind {
	case protoreflect.StringKind:
		return protowire.AppendBytes(dst, text), nil
	case protoreflect.BoolKind:
		switch string(text) {
		case "true":
			value = 1
		case "false":
		default:
			err = errKey
		}
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		value, err = strconv.ParseUint(string(text), 10, 32)
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		value, err = strconv.ParseUint(string(text), 10, 64)
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		value, err = parseInt(text, 32)
	default:
		value, err = parseInt(text, 64)
	}
	if err != nil { // strconv's error quotes the text
		return dst, errKey
	}
	return appendNumber(f.kind, dst, value), nil
}

func parseInt(text []byte, bits int) (uint64, error) {
	value, err := strconv.ParseInt(string(text), 10, bits)
	return uint64(value), err
}
