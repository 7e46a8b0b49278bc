package admin

import (
	"fmt"
	"sync"
	"time"
)

// Watch answers /livez for all stages of a service.
type Watch struct {
	limit time.Duration

	// mu guards stages: workers may be added while a request is being answered.
	mu     sync.Mutex
	stages []*Heartbeat
}

// StallError is a stage that has work and does not move.
type StallError struct {
	Stage string
	For   time.Duration
	Limit time.Duration
}

func (e *StallError) Error() string {
	return fmt.Sprintf("stage %s has work and has not moved for %s (admin.stall_timeout is %s)",
		e.Stage, e.For.Round(time.Second), e.Limit)
}

// NewWatch makes a watch without stages, which is live.
func NewWatch(limit time.Duration) *Watch { return &Watch{limit: limit} }

// Stage adds a stage, or one goroutine of a stage, and returns its heartbeat. A name may occur more than once.
func (w *Watch) Stage(name string) *Heartbeat {
	h := NewHeartbeat(name)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stages = append(w.stages, h)
	return h
}

// Live returns nil, or a *StallError naming the stage that has stood still the longest.
func (w *Watch) Live() error {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	var worst *StallError
	for _, h := range w.stages {
		still, stalled := h.Stalled(now, w.limit)
		if stalled && (worst == nil || still > worst.For) {
			worst = &StallError{Stage: h.name, For: still, Limit: w.limit}
		}
	}
	if worst == nil { // not "return worst": a nil *StallError in an error is not nil
		return nil
	}
	return worst
}
