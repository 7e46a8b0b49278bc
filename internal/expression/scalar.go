package expression

import (
	"cmp"
	"math"
	"strconv"
	"unsafe"

	"streamer/internal/document"
)

// scalar is a value as closures see it: without boxing, and for strings without copying. Of an Array or Object it holds
// only the kind. It is four words, which is the most that the compiler keeps in registers from one closure to the next; so
// integers and floats share one, and text is a string.
type scalar struct {
	kind document.Kind // never Missing: that is Null
	bits uint64        // of an Integer or a Float
	text string        // of a String; it refers to the record or to the frame's arena
}

func boolScalar(value bool) scalar {
	if value {
		return scalar{kind: document.True}
	}
	return scalar{kind: document.False}
}

func intScalar(value int64) scalar { return scalar{kind: document.Integer, bits: uint64(value)} }

func floatScalar(value float64) scalar {
	return scalar{kind: document.Float, bits: math.Float64bits(value)}
}

func textScalar(value string) scalar { return scalar{kind: document.String, text: value} }

// alias is text as a string without copying. It is only for what nobody writes to while the run lasts: the record, and
// what stands in the arena.
func alias(text []byte) string {
	return unsafe.String(unsafe.SliceData(text), len(text)) //nolint:gosec // the docstring says when it is sound
}

func (s scalar) integer() int64 { return int64(s.bits) }

func (s scalar) float() float64 { return math.Float64frombits(s.bits) }

func (s scalar) isNumber() bool { return s.kind == document.Integer || s.kind == document.Float }

func (s scalar) isComposite() bool { return s.kind == document.Array || s.kind == document.Object }

func (s scalar) asFloat() float64 {
	if s.kind == document.Integer {
		return float64(s.integer())
	}
	return s.float()
}

func (s scalar) negated() scalar {
	if s.kind == document.Integer {
		return intScalar(-s.integer())
	}
	return floatScalar(-s.float())
}

// equal answers as expr does: two integers exactly, any other two numbers as floats, unlike kinds are not equal. Of lists and
// of objects it knows nothing: ok is false for two of the same kind.
func (s scalar) equal(other scalar) (result, ok bool) {
	switch {
	case s.kind == document.Integer && other.kind == document.Integer:
		return s.integer() == other.integer(), true
	case s.isNumber() && other.isNumber():
		return s.asFloat() == other.asFloat(), true
	case s.kind != other.kind:
		return false, true
	case s.kind == document.String:
		return s.text == other.text, true
	}
	return true, !s.isComposite()
}

// comparison is one of < <= > >=.
type comparison uint8

const (
	less comparison = iota
	lessOrEqual
	more
	moreOrEqual
)

func comparisonOf(operator string) comparison {
	return map[string]comparison{"<": less, "<=": lessOrEqual, ">": more, ">=": moreOrEqual}[operator]
}

// holds compares with Go's operators: a float that is not a number is in no order with anything.
func holds[T cmp.Ordered](c comparison, a, b T) bool {
	switch c {
	case less:
		return a < b
	case lessOrEqual:
		return a <= b
	case more:
		return a > b
	case moreOrEqual:
	}
	return a >= b
}

// compare orders two numbers or two strings; ok is false for anything else.
func (s scalar) compare(c comparison, other scalar) (result, ok bool) {
	switch {
	case s.kind == document.Integer && other.kind == document.Integer:
		return holds(c, s.integer(), other.integer()), true
	case s.isNumber() && other.isNumber():
		return holds(c, s.asFloat(), other.asFloat()), true
	case s.kind == document.String && other.kind == document.String:
		return holds(c, s.text, other.text), true
	}
	return false, false
}

// truth is the value of a condition, for which nil is false.
func (s scalar) truth() (result, ok bool) {
	return s.kind == document.True, s.kind == document.True || s.kind == document.False || s.kind == document.Null
}

func (s scalar) value() Value {
	value := Value{Kind: s.kind}
	switch s.kind { //nolint:exhaustive // of the others the kind says all
	case document.Integer:
		value.Int = s.integer()
	case document.Float:
		value.Float = s.float()
	case document.String:
		value.Text = unsafe.Slice(unsafe.StringData(s.text), len(s.text)) //nolint:gosec // what alias has made a string of
	}
	return value
}

// append writes a scalar as JSON.
func (s scalar) append(dst []byte) ([]byte, error) {
	switch s.kind { //nolint:exhaustive // lists and objects are not appended from here
	case document.False, document.True:
		return strconv.AppendBool(dst, s.kind == document.True), nil
	case document.Integer:
		return strconv.AppendInt(dst, s.integer(), 10), nil
	case document.Float:
		return document.AppendFloat(dst, s.float())
	case document.String:
		return document.AppendString(dst, s.text)
	}
	return append(dst, "null"...), nil
}
