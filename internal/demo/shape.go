package demo

import (
	"fmt"
	"math"
	"time"
)

// The load has a slow wave over all partitions, and a surge now and then on one of them: what a hot partition does to
// lag, and how its blocks spread over all workers, is what the demo is there to show.
const (
	wave       = 24 * time.Second // one swing of the total
	waveHeight = 0.25             // of the rate
	surgeEvery = 12 * time.Second
	surgeFor   = 5 * time.Second
	surgeAdds  = 1.0 // of the rate, to one partition
)

// shares are the partitions' parts of the base load; they sum to 1.
func shares() [partitions]float64 {
	return [partitions]float64{0.30, 0.20, 0.15, 0.11, 0.09, 0.07, 0.05, 0.03}
}

// Shape says how many records each partition gets. It is used by the generator only.
type Shape struct {
	rate float64 // records per second, over all partitions, before wave and surges
	// owed are the fractions of records not given out yet. Without them a slow partition would round to nothing for ever.
	owed [partitions]float64
	last time.Duration
}

// NewShape makes a shape of rate records per second.
func NewShape(rate int) *Shape { return &Shape{rate: float64(rate)} }

// Due returns how many records each partition gets for the time since the last call; at is the time since the start.
func (s *Shape) Due(at time.Duration) [partitions]int {
	step := (at - s.last).Seconds()
	s.last = at
	hot, surging := surge(at)
	level := s.rate * (1 + waveHeight*math.Sin(2*math.Pi*at.Seconds()/wave.Seconds()))
	var due [partitions]int
	for p, share := range shares() {
		rate := level * share
		if surging && p == hot {
			rate += s.rate * surgeAdds
		}
		whole, rest := math.Modf(s.owed[p] + rate*step)
		due[p], s.owed[p] = int(whole), rest
	}
	return due
}

// surge says which partition is hot at that moment, if one is. The first surge comes after the first quiet spell.
func surge(at time.Duration) (partition int, surging bool) {
	round := int(at / surgeEvery)
	return (round*3 + 4) % partitions, at%surgeEvery >= surgeEvery-surgeFor
}

// surgeNote is what the view says about the load.
func surgeNote(at time.Duration) string {
	if hot, surging := surge(at); surging {
		return fmt.Sprintf("surge: partition %d gets as much as all others together", hot)
	}
	return ""
}
