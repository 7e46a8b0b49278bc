package demo

import (
	"testing"
	"time"

	"streamer/internal/admin"
)

// Rates are over rateWindow, however often the service is looked at.
func TestRecorderKeepsAWindow(t *testing.T) {
	t.Parallel()
	var r recorder
	start := time.Unix(1_800_000_000, 0)
	for i := range 100 {
		at := time.Duration(i) * 100 * time.Millisecond
		frame := Frame{}
		r.add(&frame, start.Add(at), admin.Status{Totals: admin.Totals{Received: int64(at / time.Millisecond)}})
		if want := min(at, rateWindow); frame.Between != want {
			t.Fatalf("after %s rates are over %s, want %s", at, frame.Between, want)
		}
		if i > 0 && frame.rate(func(t admin.Totals) int64 { return t.Received }) != 1000 {
			t.Fatalf("after %s the rate is not 1000/s", at)
		}
		if len(frame.In) > sparkColumns {
			t.Fatalf("%d columns are kept", len(frame.In))
		}
	}
	if len(r.in) != 20 {
		t.Errorf("%d columns for 10 s of %s each", len(r.in), sparkEvery)
	}
}

func TestLagIsCountedFromTheCommitToTheBroker(t *testing.T) {
	t.Parallel()
	status := admin.Status{Partitions: []admin.Partition{
		{Partition: 1, Committed: -1, Lag: 7}, {Partition: 0, Committed: 30, End: 31, Lag: 1},
	}}
	got := withEnds(status, [partitions]int64{50, 9}).Partitions
	if got[0].Partition != 0 || got[0].Lag != 20 || got[0].End != 50 || got[1].Lag != 9 {
		t.Errorf("partitions %+v", got)
	}
	if status.Partitions[0].Lag != 7 {
		t.Error("the look that was handed in has changed")
	}
}
