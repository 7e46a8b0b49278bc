package demo

import (
	"sync"
	"time"

	"streamer/internal/admin"
)

// lookEvery bounds how often the service is asked: each answer interrupts its poll loop, and the demo wants to see the
// service, not itself.
const lookEvery = 100 * time.Millisecond

// observer shares looks at the service between all that want one. Any goroutine may call it.
type observer struct {
	service service

	mu     sync.Mutex
	last   admin.Status
	at     time.Time
	frozen bool
}

// look returns what the service said at most lookEvery ago, or before it was frozen.
func (o *observer) look() admin.Status {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.frozen && time.Since(o.at) >= lookEvery {
		o.last, o.at = o.service.Status(), time.Now()
	}
	return o.last
}

// freeze takes a last look: a service that has stopped knows nothing of its partitions any more.
func (o *observer) freeze() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last, o.frozen = o.service.Status(), true
}
