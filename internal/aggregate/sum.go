package aggregate

import (
	"math"
	"math/bits"
)

// What a sum has seen.
const (
	sawInt = 1 << iota
	sawFloat
	sawNonFinite
)

// sum is the exact sum of integers and floats: high·2^64 + low, and big + small, and the accumulator if there is one. 128
// bits hold 2^64 integers of any size.
//
// big and small are the first two terms of an expansion as in J. R. Shewchuk, "Adaptive Precision Floating-Point Arithmetic
// and Fast Robust Geometric Predicates" (1997), which Python's math.fsum uses too. They hold some 106 bits, enough for nearly
// all sums of measured values. What does not fit goes to the accumulator, so that nothing is ever rounded, and the same
// values give the same sum in any order.
type sum struct {
	big, small float64
	high       int64
	low        uint64
	exact      uint32 // the place of the accumulator plus one, 0 if there is none
	seen       uint8
}

func (s *sum) addInt(v int64) {
	var carry uint64
	s.low, carry = bits.Add64(s.low, uint64(v), 0)
	s.high += v>>63 + int64(carry)
	s.seen |= sawInt
}

// twoSum returns a+b rounded, and what the rounding took away; rest is exact unless the sum overflows, and not a number
// then (D. E. Knuth, The Art of Computer Programming 2, 4.2.2, theorem B).
func twoSum(a, b float64) (sum, rest float64) {
	sum = a + b
	part := sum - a
	return sum, (a - (sum - part)) + (b - part)
}

func (c *column) addFloat(group int, v float64) {
	s := &c.sums[group]
	s.seen |= sawFloat
	big, rest := twoSum(s.big, v)
	small, rest := twoSum(s.small, rest)
	if rest != 0 { // also if it is not a number
		c.spill(s, v, sum{big: big, small: small}, rest)
		return
	}
	s.big, s.small = big, small
}

// spill adds a value that does not fit the two terms: they would become those of next, and rest is left over.
func (c *column) spill(s *sum, v float64, next sum, rest float64) {
	switch {
	case math.IsInf(v, 0) || math.IsNaN(v):
		s.seen |= sawNonFinite
	case math.IsInf(rest, 0) || math.IsNaN(rest): // the terms would overflow
		a := c.accumulator(s)
		a.add(s.big)
		a.add(s.small)
		a.add(v)
		s.big, s.small = 0, 0
	default:
		c.accumulator(s).add(rest)
		s.big, s.small = next.big, next.small
	}
}

// accumulator returns the one that belongs to the sum; it is made when it is needed first.
func (c *column) accumulator(s *sum) *accumulator {
	if s.exact == 0 {
		c.accumulators = append(c.accumulators, &accumulator{})
		s.exact = uint32(len(c.accumulators))
	}
	return c.accumulators[s.exact-1]
}

func (c *column) mergeSum(group int, other *column, from int) {
	s, o := &c.sums[group], &other.sums[from]
	var carry uint64
	s.low, carry = bits.Add64(s.low, o.low, 0)
	s.high += o.high + int64(carry)
	if o.seen&sawFloat != 0 {
		c.addFloat(group, o.big)
		c.addFloat(group, o.small)
	}
	if o.exact != 0 {
		c.accumulator(s).merge(other.accumulators[o.exact-1])
	}
	s.seen |= o.seen
}
