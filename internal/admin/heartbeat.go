package admin

import (
	"sync/atomic"
	"time"
)

// idle marks a heartbeat without work; movements are durations since the start and never negative.
const idle = -1

// Heartbeat is how one goroutine of a stage shows that it moves. The stage calls Busy and Beat; anyone may ask Stalled.
//
// Busy means work that needs nothing from outside. Before the stage waits for a broker, the sink, or memory to be
// acknowledged it says Busy(false): such a wait may last for hours and a restart would not shorten it.
//
// Give each worker of a pool its own heartbeat: with a shared one, three moving workers would hide the one that is stuck.
type Heartbeat struct {
	name string
	// start is the zero of moved. Durations since it are monotonic: a corrected wall clock must not look like a stall.
	start time.Time
	// moved is the last movement in nanoseconds since start, or idle. One word, so that a reader never pairs a new busy
	// with an old movement and calls a stage stuck that has just received its first work after an hour.
	moved atomic.Int64
}

// NewHeartbeat makes an idle heartbeat; name is what /livez shows when it stalls.
func NewHeartbeat(name string) *Heartbeat {
	h := &Heartbeat{name: name, start: time.Now()}
	h.moved.Store(idle)
	return h
}

// Busy says whether the stage has work. Saying true again while busy is not progress: a stage that is offered more work
// and finishes none is stuck.
func (h *Heartbeat) Busy(busy bool) {
	if !busy {
		h.moved.Store(idle)
		return
	}
	h.moved.CompareAndSwap(idle, int64(time.Since(h.start)))
}

// Beat says that the stage finished a unit of its work. It does not make an idle stage busy.
func (h *Heartbeat) Beat() {
	for {
		last := h.moved.Load()
		if last == idle || h.moved.CompareAndSwap(last, int64(time.Since(h.start))) {
			return
		}
	}
}

// Stalled reports how long the stage has stood still with work at hand, and whether that is longer than limit. An idle
// stage has stood still for 0.
func (h *Heartbeat) Stalled(now time.Time, limit time.Duration) (time.Duration, bool) {
	last := h.moved.Load()
	if last == idle {
		return 0, false
	}
	still := max(now.Sub(h.start)-time.Duration(last), 0)
	return still, still > limit
}
