package eventually_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"streamer/integration/eventually"
)

var errNotYet = errors.New("not yet")

func TestWaitReturnsWhenTheConditionHolds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		looks := 0
		err := eventually.Wait(t.Context(), time.Hour, func(context.Context) error {
			if looks++; looks < 5 {
				return errNotYet
			}
			return nil
		})
		if err != nil || looks != 5 {
			t.Errorf("%d looks, %v", looks, err)
		}
	})
}

// TestWaitKeepsTheLastReason would catch a wait that says "context deadline exceeded" instead of what was missing.
func TestWaitKeepsTheLastReason(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		err := eventually.Wait(t.Context(), time.Second, func(ctx context.Context) error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return errNotYet
		})
		if !errors.Is(err, errNotYet) || strings.Contains(err.Error(), "deadline") {
			t.Errorf("got %v", err)
		}
	})
}
