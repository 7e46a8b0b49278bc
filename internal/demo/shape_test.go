package demo

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// However the time is sliced, the same number of records comes due: fractions are owed, not lost.
func TestShapeLosesNoFractions(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		rate := rapid.IntRange(1, 5000).Draw(r, "rate")
		shape, at := NewShape(rate), time.Duration(0)
		var sum [partitions]int
		for at < 2*wave { // whole swings and whole rounds of surges
			at = min(at+time.Duration(rapid.IntRange(1, 400).Draw(r, "step"))*time.Millisecond, 2*wave)
			for p, n := range shape.Due(at) {
				sum[p] += n
			}
		}
		base := float64(rate) * at.Seconds()
		surges := float64(rate) * surgeAdds * surgeFor.Seconds() * float64(at/surgeEvery)
		total := 0
		for p, n := range sum {
			total += n
			if low := base*shares()[p]*0.9 - 2; float64(n) < low {
				r.Errorf("partition %d got %d, want %.0f at least", p, n, low)
			}
		}
		// A step at a surge's edge counts whole; the coarsest is 0.4 s at each of 8 edges.
		slack := float64(rate)*surgeAdds*0.4*8 + base*0.02 + partitions
		if d := float64(total) - base - surges; d > slack || d < -slack {
			r.Errorf("%d records, want %.0f ± %.0f", total, base+surges, slack)
		}
	})
}

func TestSharesAreUnevenAndWhole(t *testing.T) {
	t.Parallel()
	sum := 0.0
	for _, share := range shares() {
		sum += share
	}
	if sum < 0.999 || sum > 1.001 {
		t.Errorf("shares sum to %v", sum)
	}
}

func TestSurgesVisitOnePartitionAtATime(t *testing.T) {
	t.Parallel()
	if _, surging := surge(0); surging {
		t.Error("the first picture shows a surge before there is anything to compare with")
	}
	hot := map[int]bool{}
	for at := time.Duration(0); at < partitions*surgeEvery; at += time.Second {
		if p, surging := surge(at); surging {
			hot[p] = true
			if surgeNote(at) == "" {
				t.Errorf("no note at %s", at)
			}
		}
	}
	if len(hot) != partitions {
		t.Errorf("surges visit %d of %d partitions", len(hot), partitions)
	}
}
