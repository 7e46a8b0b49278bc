package aggregate

import (
	"math"
	"math/big"
	"strconv"
)

// exactInt is the bound below which a float64 holds every integer.
const exactInt = 1 << 53

// appendSum writes an integer if no float was added and it fits 64 bits, else the float that is nearest to the exact sum.
func (c *column) appendSum(dst []byte, group int) []byte {
	s := &c.sums[group]
	switch {
	case s.seen == 0 || s.seen&sawNonFinite != 0:
		return append(dst, null...)
	case s.seen == sawInt && s.fitsInt():
		return strconv.AppendInt(dst, int64(s.low), 10)
	}
	if big, small, ok := s.terms(); ok {
		return appendFloat(dst, big+small) // one addition of what is exact: rounded once
	}
	exact, exponent := c.exact(s)
	return appendFloat(dst, round(exact, exponent))
}

// appendAverage writes the float that is nearest to the exact sum through the number of values.
func (c *column) appendAverage(dst []byte, group int) []byte {
	s, count := &c.sums[group], c.counts[group]
	if s.seen == 0 || s.seen&sawNonFinite != 0 {
		return append(dst, null...)
	}
	if big, small, ok := s.terms(); ok && count < exactInt {
		if quotient, ok := divide(big, small, float64(count)); ok {
			return appendFloat(dst, quotient)
		}
	}
	exact, exponent := c.exact(s)
	return appendFloat(dst, ratio(exact, exponent, count))
}

// fitsInt tells whether the integers' sum is within an int64.
func (s *sum) fitsInt() bool { return s.high == int64(s.low)>>63 }

// terms returns two floats whose exact sum is the sum, if there are such at hand.
func (s *sum) terms() (big, small float64, ok bool) {
	if s.exact != 0 || !s.fitsInt() {
		return 0, 0, false
	}
	whole := int64(s.low)
	if whole <= -exactInt || whole >= exactInt {
		return 0, 0, false
	}
	big, rest := twoSum(s.big, float64(whole))
	small, rest = twoSum(s.small, rest)
	return big, small, rest == 0
}

// divide returns (big+small)/count, rounded once, or false if that takes more bits to decide. It is the quotient of big, put
// right by what the remainder and small add, which a fused multiplication gives exactly; and A. Ziv's test: if the
// correction is made a little smaller and a little larger and both round to the same float, so does the true value. Outside
// of the range here the remainder might be rounded.
func divide(big, small, count float64) (float64, bool) {
	const margin, least, most = 1.0 / (1 << 40), 1e-200, 1e300
	quotient := big / count
	if magnitude := math.Abs(quotient); small == 0 && (magnitude > least || magnitude == 0 && big == 0) {
		return quotient, true // an IEEE division of exact numbers is rounded once
	} else if magnitude < least || magnitude > most {
		return 0, false
	}
	correction := (math.FMA(-quotient, count, big) + small) / count
	spread := math.Abs(correction) * margin
	lower, upper := quotient+(correction-spread), quotient+(correction+spread)
	return lower, lower == upper
}

// exact returns the sum as a number of units of 2^exponent.
func (c *column) exact(s *sum) (units *big.Int, exponent int) {
	a := accumulator{}
	if s.exact != 0 {
		a.merge(c.accumulators[s.exact-1])
	}
	a.add(s.big)
	a.add(s.small)
	units = a.scaled()
	whole := new(big.Int).Lsh(big.NewInt(s.high), 64)
	whole.Add(whole, new(big.Int).SetUint64(s.low))
	return units.Add(units, whole.Lsh(whole, -lowestExponent)), lowestExponent
}

// round returns the float nearest to units·2^exponent; ±Inf beyond its range.
func round(units *big.Int, exponent int) float64 {
	exact := new(big.Float).SetInt(units) // as precise as units needs
	f, _ := exact.SetMantExp(exact, exponent).Float64()
	return f + 0 // never -0
}

// ratio returns the float nearest to units·2^exponent / count. The quotient gets some 70 bits and a last one that stands
// for all that follow, so that rounding it to a float's 53 or fewer is rounding the true value.
func ratio(units *big.Int, exponent int, count int64) float64 {
	const bits = 70
	divisor := big.NewInt(count)
	shift := max(0, bits+divisor.BitLen()-units.BitLen())
	quotient, rest := new(big.Int).QuoRem(new(big.Int).Lsh(units, uint(shift)), divisor, new(big.Int))
	quotient.Lsh(quotient, 1)
	if sign := rest.Sign(); sign != 0 {
		quotient.Add(quotient, big.NewInt(int64(sign)))
	}
	return round(quotient, exponent-shift-1)
}
