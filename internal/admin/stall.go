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

func (e *StallError) Error() string {
	return fmt.Sprintf("stage %s has work and has not moved for %s (admin.stall_timeout is %s)",
		e.Stage, e.For.Round(time.Second), e.Limit)
}
