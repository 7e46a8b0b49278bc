// Package scalar is what the binary formats share: a document's numbers and bytes as a typed field wants them, and errors
// that say which field of the schema failed. The errors name kinds and fields of the schema, never a value.
package scalar

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strconv"

	"streamer/internal/document"
)

// The errors of numbers.
var (
	ErrNotFinite = errors.New("a number is infinite or not a number; a document cannot hold it")
	errRange     = errors.New("number is out of range")
	errWhole     = errors.New("number is not whole")
	errBase64    = errors.New("text is not base64")
)

// Wants is the error for a node of the wrong kind.
func Wants(wanted string, kind document.Kind) error {
	return fmt.Errorf("%s cannot be written as %s", Name(kind), wanted)
}

// Name is the word for a kind in errors.
func Name(kind document.Kind) string {
	switch kind {
	case document.Missing:
		return "a missing value"
	case document.Null:
		return "null"
	case document.False, document.True:
		return "a truth value"
	case document.Integer, document.Float:
		return "a number"
	case document.String:
		return "text"
	case document.Array:
		return "an array"
	case document.Object:
		return "an object"
	}
	return "a value"
}

// IsNumber reports whether Int and Float can read the node.
func IsNumber(d *document.Document, n document.Node) bool {
	kind := d.Kind(n)
	return kind == document.Integer || kind == document.Float
}

// Int reads a whole number between least and most. A Float counts if it is whole: 5.0 and 1e3 do.
func Int(d *document.Document, n document.Node, least, most int64, wanted string) (int64, error) {
	value, ok := d.Int(n)
	switch kind := d.Kind(n); {
	case ok:
	case kind == document.Integer:
		return 0, errRange
	case kind != document.Float:
		return 0, Wants(wanted, kind)
	default:
		f := d.Float(n)
		if f != math.Trunc(f) {
			return 0, errWhole
		}
		if f < math.MinInt64 || f >= math.MaxInt64 { // the largest int64 is no float64, and rounds up to one that is too large
			return 0, errRange
		}
		value = int64(f)
	}
	if value < least || value > most {
		return 0, errRange
	}
	return value, nil
}

// Uint reads a whole number from 0 to most, in full 64 bits. A Float counts if it is whole.
func Uint(d *document.Document, n document.Node, most uint64, wanted string) (uint64, error) {
	if d.Kind(n) == document.Integer {
		value, err := strconv.ParseUint(string(d.Append(nil, n)), 10, 64)
		if err != nil || value > most {
			return 0, errRange
		}
		return value, nil
	}
	value, err := Int(d, n, 0, math.MaxInt64, wanted)
	if err != nil {
		return 0, err
	}
	if uint64(value) > most {
		return 0, errRange
	}
	return uint64(value), nil
}

// Float reads a number as the nearest float64.
func Float(d *document.Document, n document.Node, wanted string) (float64, error) {
	if !IsNumber(d, n) {
		return 0, Wants(wanted, d.Kind(n))
	}
	value := d.Float(n)
	if math.IsInf(value, 0) {
		return 0, errRange
	}
	return value, nil
}

// Float32 reads a number as the nearest float32.
func Float32(d *document.Document, n document.Node, wanted string) (float32, error) {
	value, err := Float(d, n, wanted)
	if err != nil {
		return 0, err
	}
	if math.IsInf(float64(float32(value)), 0) {
		return 0, errRange
	}
	return float32(value), nil
}

// AddFloat adds a number to a document.
func AddFloat(b *document.Builder, value float64) error {
	if math.IsInf(value, 0) || math.IsNaN(value) {
		return ErrNotFinite
	}
	b.Float(value)
	return nil
}

// AddFloat32 adds the shortest number that is value as a float32: 0.1, not 0.10000000149011612.
func AddFloat32(b *document.Builder, value float32) error {
	wide := float64(value)
	const whole = 1 << 24 // up to here a whole number is its own shortest form
	if !math.IsNaN(wide) && (wide != math.Trunc(wide) || math.Abs(wide) > whole) {
		var buffer [32]byte
		// What FormatFloat writes, ParseFloat reads.
		wide, _ = strconv.ParseFloat(string(strconv.AppendFloat(buffer[:0], wide, 'g', -1, 32)), 64)
	}
	return AddFloat(b, wide)
}

// AppendBytes appends the bytes that base64 text (RFC 4648, section 4, with padding) stands for. On an error it returns dst
// as it was.
func AppendBytes(dst []byte, d *document.Document, n document.Node, wanted string) ([]byte, error) {
	if kind := d.Kind(n); kind != document.String {
		return dst, Wants(wanted+" (base64 text)", kind)
	}
	out, err := base64.StdEncoding.AppendDecode(dst, d.Text(n))
	if err != nil { // the error says where, which is no payload, but little help either
		return dst, errBase64
	}
	return out, nil
}
