package admin_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"streamer/internal/admin"
)

const limit = time.Minute

func TestHeartbeatStallsOnlyWithWork(t *testing.T) {
	t.Parallel()
	type step struct {
		after time.Duration
		do    func(*admin.Heartbeat)
	}
	busy := func(h *admin.Heartbeat) { h.Busy(true) }
	free := func(h *admin.Heartbeat) { h.Busy(false) }
	beat := func(h *admin.Heartbeat) { h.Beat() }
	tests := map[string]struct {
		steps   []step
		wait    time.Duration
		still   time.Duration
		stalled bool
	}{
		"new":                          {wait: time.Hour},
		"idle for an hour":             {steps: []step{{0, busy}, {0, free}}, wait: time.Hour},
		"beat without work":            {steps: []step{{0, beat}}, wait: time.Hour},
		"working within the limit":     {steps: []step{{0, busy}}, wait: limit, still: limit},
		"working past the limit":       {steps: []step{{0, busy}}, wait: limit + 1, still: limit + 1, stalled: true},
		"beating":                      {steps: []step{{0, busy}, {limit, beat}}, wait: limit, still: limit},
		"first work after an hour":     {steps: []step{{time.Hour, busy}}, wait: time.Second, still: time.Second},
		"more work is not progress":    {steps: []step{{0, busy}, {limit, busy}}, wait: 1, still: limit + 1, stalled: true},
		"waiting outside ends a stall": {steps: []step{{0, busy}, {time.Hour, free}}, wait: time.Hour},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := admin.NewHeartbeat("union")
				for _, s := range test.steps {
					time.Sleep(s.after)
					s.do(h)
				}
				time.Sleep(test.wait)
				still, stalled := h.Stalled(time.Now(), limit)
				if still != test.still || stalled != test.stalled {
					t.Errorf("Stalled = %v, %v; want %v, %v", still, stalled, test.still, test.stalled)
				}
			})
		})
	}
}

// move is one drawn step: wait, then act, then ask for the moment later.
type move struct {
	Wait, Later time.Duration
	Act         string
}

// A heartbeat is the time since the last movement while there is work. The model keeps just that.
func TestHeartbeatAgainstModel(t *testing.T) {
	t.Parallel()
	spell := rapid.Map(rapid.Int64Range(0, int64(2*limit)), func(n int64) time.Duration { return time.Duration(n) })
	moves := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) move {
		return move{spell.Draw(r, "wait"), spell.Draw(r, "later"), rapid.SampledFrom([]string{"busy", "free", "beat"}).Draw(r, "act")}
	}), 1, 30)
	rapid.Check(t, func(r *rapid.T) {
		drawn := moves.Draw(r, "moves") // before the bubble: rapid panics on its own goroutine to end a draw
		var wrong string
		synctest.Test(t, func(*testing.T) { wrong = firstDifference(drawn) })
		if wrong != "" {
			r.Fatal(wrong)
		}
	})
}

func firstDifference(moves []move) string {
	h := admin.NewHeartbeat("x")
	working, moved := false, time.Time{}
	for i, m := range moves {
		time.Sleep(m.Wait)
		switch m.Act {
		case "busy":
			h.Busy(true)
			if !working {
				working, moved = true, time.Now()
			}
		case "free":
			h.Busy(false)
			working = false
		case "beat":
			h.Beat()
			moved = time.Now()
		}
		now, want := time.Now().Add(m.Later), time.Duration(0)
		if working {
			want = now.Sub(moved)
		}
		if still, stalled := h.Stalled(now, limit); still != want || stalled != (want > limit) {
			return fmt.Sprintf("after move %d (%+v): Stalled = %v, %v; want %v", i, m, still, stalled, want)
		}
	}
	return ""
}

func TestWatchNamesTheStageThatStandsLongest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		watch := admin.NewWatch(limit)
		if err := watch.Live(); err != nil {
			t.Fatalf("a watch without stages: %v", err)
		}
		watch.Stage("union").Busy(true)
		time.Sleep(time.Second)
		watch.Stage("worker 2").Busy(true)
		if err := watch.Live(); err != nil {
			t.Fatalf("stages that just began: %v", err)
		}
		time.Sleep(2 * limit)
		stall, ok := errors.AsType[*admin.StallError](watch.Live())
		if !ok || stall.Stage != "union" || stall.For != 2*limit+time.Second {
			t.Fatalf("Live = %+v, want union at 2m1s", stall)
		}
		want := "stage union has work and has not moved for 2m1s (admin.stall_timeout is 1m0s)"
		if stall.Error() != want {
			t.Errorf("error %q, want %q", stall, want)
		}
	})
}
