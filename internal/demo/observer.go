package demo

import (
	"sync"
	"time"

	"streamer/internal/admin"
)

// lookEvery bounds how often the service is asked: each answer interrupts its poll loop, and the demo wants to see the
// service, not itself.
const lookEvery = 100 * time.Millisecond

// busyLooks is how many looks the mean of busy workers is over: a block takes less than a millisecond, so that a single
// look nearly always finds all of them idle.
const busyLooks = int(rateWindow / lookEvery)

// observer shares looks at the service between all that want one. Any goroutine may call it.
type observer struct {
	service service

	mu     sync.Mutex
	last   admin.Status
	at     time.Time
	frozen bool
	busy   []int // of the last looks, oldest first
}

// look returns what the service said at most lookEvery ago, or before it was frozen.
func (o *observer) look() admin.Status {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.frozen && time.Since(o.at) >= lookEvery {
		o.last, o.at = o.service.Status(), time.Now()
		o.busy = append(o.busy, o.last.Workers.Busy)
		o.busy = o.busy[max(0, len(o.busy)-busyLooks):]
	}
	return o.last
}

// busyWorkers is the mean number of busy workers over the last looks.
func (o *observer) busyWorkers() float64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	sum := 0
	for _, n := range o.busy {
		sum += n
	}
	return float64(sum) / float64(max(len(o.busy), 1))
}

// freeze takes a last look: a service that has stopped knows nothing of its partitions any more.
func (o *observer) freeze() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last, o.frozen = o.service.Status(), true
}
