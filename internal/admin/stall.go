package admin

import (
	"fmt"
	"time"
)

// StallError is a stage that has work and does not move.
type StallError struct {
	Stage string
	For   time.Duration
	Limit time.Duration
}

// NotReadyError is why the service is not ready, and for how long it has not been.
type NotReadyError struct {
	Err error
	For time.Duration
}

func (e *NotReadyError) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *NotReadyError) Unwrap() error { return e.Err }

func (e *StallError) Error() string {
	return fmt.Sprintf("stage %s has work and has not moved for %s (admin.stall_timeout is %s)",
		e.Stage, e.For.Round(time.Second), e.Limit)
}
