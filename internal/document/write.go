package document

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// What JSON cannot say. The messages hold no payload.
var (
	errNotUTF8   = errors.New("a string is not valid UTF-8; JSON cannot hold it")
	errNotFinite = errors.New("a number is infinite or not a number; JSON cannot hold it")
	errTooDeep   = fmt.Errorf("arrays and objects are nested more than %d deep", MaxDepth)
	errTooLarge  = errors.New("value is larger than 4 GiB")
)

// Append writes the value as JSON without white space. Scalars are copied as they stand, so that numbers keep every digit
// and strings their escapes; names keep their order. A missing value is null.
func (d *Document) Append(dst []byte, n Node) []byte {
	switch d.Kind(n) {
	case Missing, Null:
		return append(dst, "null"...)
	case String:
		if d.entries[n].verbatim {
			return appendText(dst, d.raw(n))
		}
		dst = append(dst, '"')
		dst = append(dst, d.raw(n)...)
		return append(dst, '"')
	case Array:
		dst = append(dst, '[')
		for i, end := uint32(n)+1, d.entries[n].next; i < end; i = d.entries[i].next {
			dst = append(d.Append(dst, Node(i)), ',')
		}
		return closed(dst, '[', ']')
	case Object:
		dst = append(dst, '{')
		for i, end := uint32(n)+1, d.entries[n].next; i < end; i = d.entries[i+1].next {
			dst = append(d.Append(dst, Node(i)), ':')
			dst = append(d.Append(dst, Node(i+1)), ',')
		}
		return closed(dst, '{', '}')
	case False, True, Integer, Float:
	}
	return append(dst, d.raw(n)...)
}

// closed ends an array or object: over the last comma, or behind the opening bracket of an empty one.
func closed(dst []byte, open, end byte) []byte {
	if last := len(dst) - 1; dst[last] != open {
		dst[last] = end
		return dst
	}
	return append(dst, end)
}

// AppendString writes s as a JSON string. It fails if s is not valid UTF-8, and then returns dst unchanged.
func AppendString(dst []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return dst, errNotUTF8
	}
	return appendText(dst, s), nil
}

// AppendText is AppendString for bytes.
func AppendText(dst, text []byte) ([]byte, error) {
	if !utf8.Valid(text) {
		return dst, errNotUTF8
	}
	return appendText(dst, text), nil
}

// appendText writes valid UTF-8 as a JSON string.
func appendText[T string | []byte](dst []byte, s T) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	done := 0
	for i := range len(s) {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[done:i]...)
		done = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
	}
	dst = append(dst, s[done:]...)
	return append(dst, '"')
}

// AppendGo writes a Go value as JSON: what Document.Go returns, and what expressions make of it. Maps are written in the
// order of their keys, so that the same value always gives the same bytes; a time as RFC 3339, a duration as 1m30s.
func AppendGo(dst []byte, value any) ([]byte, error) { return appendGo(dst, value, 0) }

func appendGo(dst []byte, value any, depth int) ([]byte, error) {
	switch v := value.(type) {
	case nil:
		return append(dst, "null"...), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case string:
		return AppendString(dst, v)
	case int:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case float64:
		return AppendFloat(dst, v)
	case []byte:
		return AppendString(dst, string(v))
	case time.Time:
		return AppendString(dst, v.Format(time.RFC3339Nano))
	case time.Duration:
		return AppendString(dst, v.String())
	}
	if depth >= MaxDepth {
		return dst, errTooDeep
	}
	return appendReflected(dst, reflect.ValueOf(value), depth)
}

// appendReflected writes the types that an expression rarely gives: lists and maps of any type, and small numbers.
func appendReflected(dst []byte, v reflect.Value, depth int) ([]byte, error) {
	switch {
	case v.CanInt():
		return strconv.AppendInt(dst, v.Int(), 10), nil
	case v.CanUint():
		return strconv.AppendUint(dst, v.Uint(), 10), nil
	case v.CanFloat():
		return AppendFloat(dst, v.Float())
	case v.Kind() == reflect.String:
		return AppendString(dst, v.String())
	case v.Kind() == reflect.Slice || v.Kind() == reflect.Array:
		return appendList(dst, v, depth)
	case v.Kind() == reflect.Map:
		return appendMap(dst, v, depth)
	}
	return dst, fmt.Errorf("a value of type %s has no JSON form", v.Type())
}

func appendList(dst []byte, v reflect.Value, depth int) ([]byte, error) {
	dst = append(dst, '[')
	for i := range v.Len() {
		var err error
		if dst, err = appendGo(dst, v.Index(i).Interface(), depth+1); err != nil {
			return dst, err
		}
		dst = append(dst, ',')
	}
	return closed(dst, '[', ']'), nil
}

func appendMap(dst []byte, v reflect.Value, depth int) ([]byte, error) {
	type pair struct{ name, value string }
	pairs := make([]pair, 0, v.Len())
	for it := v.MapRange(); it.Next(); {
		name, err := appendGo(nil, it.Key().Interface(), depth+1)
		if err != nil {
			return dst, err
		}
		if len(name) == 0 || name[0] != '"' { // groupBy(orders, .year) has numbers for keys
			if name, err = AppendString(nil, string(name)); err != nil {
				return dst, err
			}
		}
		value, err := appendGo(nil, it.Value().Interface(), depth+1)
		if err != nil {
			return dst, err
		}
		pairs = append(pairs, pair{string(name), string(value)})
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.value, b.value))
	})
	dst = append(dst, '{')
	for _, p := range pairs {
		dst = append(dst, p.name...)
		dst = append(dst, ':')
		dst = append(append(dst, p.value...), ',')
	}
	return closed(dst, '{', '}'), nil
}

// AppendFloat writes a number in the shortest form that reads back as the same float64. It fails if f is infinite or not a
// number, and then returns dst unchanged.
func AppendFloat(dst []byte, f float64) ([]byte, error) {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return dst, errNotFinite
	}
	format := byte('f')
	if magnitude := math.Abs(f); magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(dst, f, format, -1, 64), nil
}
