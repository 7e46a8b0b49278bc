package sink

import (
	"math/rand/v2"
	"time"
)

// pause is how long to wait after the given failed attempt, counted from 1. chance is in [0,1).
func (r Retry) pause(attempt int, chance float64) time.Duration {
	pause := time.Duration(r.Min)
	// Doubling step by step cannot overflow, as a shift by the attempt would after a night of retries.
	for range attempt - 1 {
		if pause >= time.Duration(r.Max)/2 {
			pause = time.Duration(r.Max)
			break
		}
		pause *= 2
	}
	return pause - time.Duration(chance*float64(pause)/2)
}

func chance() float64 {
	return rand.Float64() //nolint:gosec // spreads retries in time; nobody gains by guessing it
}
