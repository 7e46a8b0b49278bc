package sink

import (
	"sync"
	"time"
)

// Activity is what the writer does at the moment.
type Activity uint8

// The activities. Retrying begins with a failed attempt, or when the sink says that it waits, and ends with the batch.
const (
	Idle Activity = iota
	Writing
	Retrying
)

// String is the activity as the status page names it.
func (a Activity) String() string { return [...]string{"idle", "writing", "retrying"}[a] }

// State is one look at the writer.
type State struct {
	Activity Activity
	Since    time.Time // when the activity began
	Attempt  int       // at the current batch, counted from 1; 0 when idle
	Err      error     // what the writer retries for; nil unless Retrying
}

// board holds the state for readers on other goroutines. Only the writer's goroutine and its nag change it.
type board struct {
	mu    sync.Mutex
	state State
}

func (b *board) read() State {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state
}

// begin notes that an attempt starts. Retrying outlasts the attempts, or the status page would flicker between the two
// all through an outage.
func (b *board) begin(attempt int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state.Activity != Retrying {
		b.state.Activity, b.state.Since = Writing, time.Now()
	}
	b.state.Attempt = attempt
}

// fail notes what the writer retries for, and returns since when.
func (b *board) fail(err error) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state.Activity != Retrying {
		b.state.Activity, b.state.Since = Retrying, time.Now()
	}
	b.state.Err = err
	return b.state.Since
}

func (b *board) rest() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.state = State{Activity: Idle, Since: time.Now()}
}
