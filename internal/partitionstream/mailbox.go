package partitionstream

import (
	"context"
	"sync"
)

// mailbox carries work to the assignment loop from any goroutine. Posting never blocks and ends the loop's current wait.
// It needs no bound: what is posted is a callback of kgo (one at a time), a batch's acknowledgement, a commit's result, a
// look at the status, and few timers' ticks.
type mailbox struct {
	mu      sync.Mutex
	pending []func()
	wake    context.CancelFunc // of the loop's current wait, nil while it is busy
}

// post queues f to be run by the loop.
func (m *mailbox) post(f func()) {
	m.mu.Lock()
	m.pending = append(m.pending, f)
	wake := m.wake
	m.mu.Unlock()
	if wake != nil {
		wake()
	}
}

// take returns what is pending, in order.
func (m *mailbox) take() []func() {
	m.mu.Lock()
	defer m.mu.Unlock()
	pending := m.pending
	m.pending = nil
	return pending
}

// rest announces that the loop is about to wait until wake is called. It reports false when messages are pending: then
// the loop must not wait, because their post found nobody to wake.
func (m *mailbox) rest(wake context.CancelFunc) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.pending) > 0 {
		return false
	}
	m.wake = wake
	return true
}

// stir ends what rest began.
func (m *mailbox) stir() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wake = nil
}
