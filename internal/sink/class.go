package sink

import (
	"context"
	"errors"
)

// Class is what may be done about a failed Write.
type Class uint8

// The classes. Unclassified is handled as Permanent: retrying what nobody thought about could repeat damage for ever,
// skipping it would lose records.
const (
	Unclassified Class = iota
	Retryable          // may succeed later as it is: network, leader, timeout, throttling, full disk, credentials
	Permanent          // will not succeed by waiting: no such topic, the reader has gone
	Rejected           // some records will never be taken; the others may still be
	Ended              // the caller's context ended; nothing is known against the sink
)

// String is the class as metrics and logs name it.
func (c Class) String() string {
	return [...]string{"unclassified", "retryable", "permanent", "rejected", "ended"}[c]
}

// RetryableError is a failure that may pass by itself or by an operator's hand outside of Streamer.
type RetryableError struct{ Err error }

func (e *RetryableError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *RetryableError) Unwrap() error { return e.Err }

// PermanentError is a failure that the same batch would meet again and again, whichever records are taken out of it.
type PermanentError struct{ Err error }

func (e *PermanentError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *PermanentError) Unwrap() error { return e.Err }

// Classify tells the class of a Write's error by its type. It is Ended only for the caller's own context: a time-out
// inside the sink must come as a [RetryableError].
func Classify(err error) Class {
	if _, ok := errors.AsType[*PermanentError](err); ok {
		return Permanent
	}
	if _, ok := errors.AsType[*RejectedError](err); ok {
		return Rejected
	}
	if _, ok := errors.AsType[*RetryableError](err); ok {
		return Retryable
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return Ended
	}
	return Unclassified
}
