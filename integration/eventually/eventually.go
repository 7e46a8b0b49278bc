// Package eventually waits for conditions. It is the only place in the black-box tests where time passes between two
// looks, so that a test waits for what it needs and not for how long that took on somebody's machine.
package eventually

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// between is the pause between two looks: short beside anything a broker does, long enough to leave it the processor.
const between = 25 * time.Millisecond

// Holds looks until condition returns nil, and fails the test with its last error when that takes longer than within.
// what completes the sentence "waited for …".
func Holds(tb testing.TB, within time.Duration, what string, condition func(context.Context) error) {
	tb.Helper()
	if err := Wait(tb.Context(), within, condition); err != nil {
		tb.Fatalf("waited %v for %s: %v", within, what, err)
	}
}

// Wait looks until condition returns nil. It returns the condition's last error when within has passed or ctx ended.
func Wait(ctx context.Context, within time.Duration, condition func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	ticker := time.NewTicker(between)
	defer ticker.Stop()
	var last error
	for {
		err := condition(ctx)
		if err == nil {
			return nil
		}
		// What the deadline itself broke off says less than the look before it.
		if ctx.Err() == nil || last == nil {
			last = err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("not within time: %w", last)
		}
	}
}

// Throughout looks again and again for the whole time, and fails the test as soon as condition returns an error. It is
// for faults that last: the time is part of the fault, and what must hold during it is looked at meanwhile.
func Throughout(tb testing.TB, lasting time.Duration, what string, condition func(context.Context) error) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), lasting)
	defer cancel()
	ticker := time.NewTicker(between)
	defer ticker.Stop()
	for {
		if err := condition(tb.Context()); err != nil {
			tb.Fatalf("%s: %v", what, err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}
