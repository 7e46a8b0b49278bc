package demo

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

const testSeed = 42

var someTime = time.UnixMilli(1_790_000_000_123)

// views are the first sequence numbers of views in a partition.
func views(partition int32, below int64) []int64 {
	var seqs []int64
	for seq := range below {
		if NewEvent(testSeed, partition, seq).IsView() {
			seqs = append(seqs, seq)
		}
	}
	return seqs
}

func see(c *Checker, partition int32, seqs ...int64) {
	for _, seq := range seqs {
		c.See(partition, seq, NewEvent(testSeed, partition, seq).AppendView(nil, someTime), someTime)
	}
}

// Each way of being wrong, done on purpose, must be counted as itself and as nothing else.
func TestCheckerCatchesEachFault(t *testing.T) {
	t.Parallel()
	all := views(0, 1000)
	filtered := int64(0)
	for NewEvent(testSeed, 0, filtered).IsView() {
		filtered++
	}
	past := int64(1000)
	for !NewEvent(testSeed, 0, past).IsView() {
		past++
	}
	tests := map[string]struct {
		output func(*Checker)
		want   Faults
	}{
		"all in order": {func(c *Checker) { see(c, 0, all...) }, Faults{}},
		"one lost":     {func(c *Checker) { see(c, 0, all[:5]...); see(c, 0, all[6:]...) }, Faults{Missing: 1}},
		"the last lost": {
			func(c *Checker) { see(c, 0, all[:len(all)-1]...) }, Faults{Missing: 1},
		},
		"none at all": {func(*Checker) {}, Faults{Missing: int64(len(all))}},
		"one twice, at once": {
			func(c *Checker) { see(c, 0, all[:5]...); see(c, 0, all[4:]...) }, Faults{Duplicate: 1},
		},
		"a block twice, later": {
			func(c *Checker) { see(c, 0, all...); see(c, 0, all[:3]...) }, Faults{Duplicate: 3, Disordered: 3},
		},
		"two swapped": {
			func(c *Checker) { see(c, 0, all[1], all[0]); see(c, 0, all[2:]...) }, Faults{Disordered: 1},
		},
		"one that is filtered": {
			func(c *Checker) { see(c, 0, all...); see(c, 0, filtered) }, Faults{Unexpected: 1},
		},
		"one never produced": {func(c *Checker) { see(c, 0, all...); see(c, 0, past) }, Faults{Unexpected: 1}},
		"one without a number": {
			func(c *Checker) { see(c, 0, all...); c.See(0, -1, nil, someTime) }, Faults{Unexpected: 1},
		},
		"one with a damaged number": {
			func(c *Checker) { see(c, 0, all...); c.See(0, 1<<62, nil, someTime) }, Faults{Unexpected: 1},
		},
		"another's bytes": {
			func(c *Checker) {
				see(c, 0, all[1:]...)
				c.See(0, all[0], NewEvent(testSeed, 0, all[1]).AppendView(nil, someTime), someTime)
			},
			Faults{Altered: 1, Disordered: 1},
		},
		"another time": {
			func(c *Checker) {
				c.See(0, all[0], NewEvent(testSeed, 0, all[0]).AppendView(nil, someTime), someTime.Add(time.Second))
				see(c, 0, all[1:]...)
			},
			Faults{Altered: 1},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checker := NewChecker(testSeed)
			test.output(checker)
			summary := Summary{Partitions: checker.Report([partitions]int64{1000})}
			if got := summary.Total().Faults; got != test.want {
				t.Errorf("faults %+v, want %+v", got, test.want)
			}
			if (summary.Err() == nil) != (test.want == Faults{}) {
				t.Errorf("error %v of faults %+v", summary.Err(), test.want)
			}
		})
	}
}

// The counts agree with a naive model for any output whatever.
func TestCheckerAgainstModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		produced := rapid.Int64Range(0, 200).Draw(r, "produced")
		output := rapid.SliceOf(rapid.Int64Range(0, 260)).Draw(r, "output")
		checker := NewChecker(testSeed)
		see(checker, 3, output...)

		want := PartitionReport{Produced: produced, Expected: int64(len(views(3, produced)))}
		came, highest := map[int64]bool{}, int64(-1)
		for _, seq := range output {
			switch {
			case !NewEvent(testSeed, 3, seq).IsView():
				want.Unexpected++
				continue
			case came[seq]:
				want.Duplicate++
			case seq >= produced:
				want.Unexpected++
			default:
				want.Arrived++
			}
			if seq < highest {
				want.Disordered++
			}
			came[seq], highest = true, max(highest, seq)
		}
		want.Missing = want.Expected - want.Arrived
		if got := checker.Report([partitions]int64{3: produced})[3]; got != want {
			r.Errorf("report %+v\nwant   %+v", got, want)
		}
	})
}
