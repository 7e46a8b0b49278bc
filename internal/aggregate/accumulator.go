package aggregate

import (
	"math"
	"math/big"
)

const (
	chunkBits = 32
	// lowestExponent is that of the accumulator's first bit: half of the smallest subnormal, as an exponent field of 1 shifts
	// by one.
	lowestExponent = -1075
	// chunks cover the exponents of all floats, 2046 + 53 bits, and leave the last one for what sums beyond them carry.
	chunks = 67
	// room is how many additions a carry waits for. Each adds less than 2^53 to a chunk, so that even twice as many and what a
	// carry leaves, less than 2^33, stay within 63 bits.
	room = 1 << 9
)

// accumulator is a fixed-point number wide enough for every float64, R. M. Neal's small superaccumulator ("Fast Exact
// Summation Using Small and Large Superaccumulators", 2015): overlapping chunks of 64 bits that stand 32 bits apart, so that
// carries are due once in a while only.
type accumulator struct {
	chunk [chunks]int64
	used  int // additions since the carries were taken over
}

// add adds a finite number.
func (a *accumulator) add(f float64) {
	if a.used >= room {
		a.carry()
	}
	a.used++
	word := math.Float64bits(f)
	exponent, mantissa := word>>52&0x7FF, word&(1<<52-1)
	if exponent == 0 {
		exponent = 1
	} else {
		mantissa |= 1 << 52
	}
	place, shift := exponent/chunkBits, exponent%chunkBits
	low, high := int64(mantissa<<shift&(1<<chunkBits-1)), int64(mantissa>>(chunkBits-shift))
	if word>>63 != 0 {
		low, high = -low, -high
	}
	a.chunk[place] += low
	a.chunk[place+1] += high
}

// carry leaves 32 bits in each chunk but the last.
func (a *accumulator) carry() {
	for i := range chunks - 1 {
		a.chunk[i+1] += a.chunk[i] >> chunkBits
		a.chunk[i] &= 1<<chunkBits - 1
	}
	a.used = 0
}

// merge adds another one, which is not changed.
func (a *accumulator) merge(other *accumulator) {
	for i, chunk := range other.chunk {
		a.chunk[i] += chunk
	}
	if a.used += other.used + 1; a.used > room { // 1 for what its last carry left
		a.carry()
	}
}

// scaled returns the number in units of 2^lowestExponent.
func (a *accumulator) scaled() *big.Int {
	total, chunk := new(big.Int), new(big.Int)
	for i := chunks - 1; i >= 0; i-- {
		total.Lsh(total, chunkBits)
		total.Add(total, chunk.SetInt64(a.chunk[i]))
	}
	return total
}
