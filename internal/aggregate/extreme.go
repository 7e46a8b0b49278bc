package aggregate

import (
	"cmp"
	"math"
)

// kind is what a cell of Min or Max holds.
type kind uint8

const (
	absent kind = iota
	intKind
	floatKind
	textKind
)

// value is the cell of a Min or Max: a number, or the place of a string plus one.
type value struct {
	bits uint64
	text uint32
	kind kind
}

func intValue(v int64) value     { return value{kind: intKind, bits: uint64(v)} }
func floatValue(v float64) value { return value{kind: floatKind, bits: math.Float64bits(v)} }

func (v value) int() int64     { return int64(v.bits) }
func (v value) float() float64 { return math.Float64frombits(v.bits) }

// compare orders numbers by their exact value; of equal ones an integer comes before a float, and -0 before 0. NaN comes
// last, as in PostgreSQL. This is a total order in which only the same number is equal: which of several equal values is
// kept would depend on the order of merging otherwise.
func (v value) compare(other value) int {
	switch {
	case v.kind == intKind && other.kind == intKind:
		return cmp.Compare(v.int(), other.int())
	case v.kind == floatKind && other.kind == floatKind:
		return compareFloats(v.float(), other.float())
	case v.kind == intKind:
		return compareIntFloat(v.int(), other.float())
	default:
		return -compareIntFloat(other.int(), v.float())
	}
}

func compareFloats(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return +1
	case a == b:
		return cmp.Compare(sign(a), sign(b)) // differ for zeros only
	}
	return cmp.Compare(order(a), order(b))
}

func sign(f float64) int {
	if math.Signbit(f) {
		return -1
	}
	return +1
}

// order tells NaN from the numbers.
func order(f float64) int {
	if math.IsNaN(f) {
		return +1
	}
	return 0
}

// compareIntFloat never gives 0. Turning the integer into a float would round it: 2^53+1 would equal 2^53.
func compareIntFloat(i int64, f float64) int {
	const limit = 1 << 63
	switch {
	case f >= limit || math.IsNaN(f):
		return -1
	case f < -limit:
		return +1
	}
	whole := math.Trunc(f)
	if c := cmp.Compare(i, int64(whole)); c != 0 {
		return c
	}
	if f < whole {
		return +1
	}
	return -1
}
