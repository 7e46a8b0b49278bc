package demo

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"streamer/internal/admin"
)

// asked is a service that counts how often it was asked.
type asked struct{ times int64 }

func (*asked) Run(context.Context) error { return nil }

func (a *asked) Status() admin.Status {
	a.times++
	return admin.Status{
		Totals:  admin.Totals{Batches: a.times},
		Workers: admin.Workers{Total: 4, Busy: int(a.times % 4)}, // 1, 2, 3, 0 and again
	}
}

func TestObserverSparesTheService(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		observer := &observer{service: &asked{}}
		expect := func(want int64) {
			t.Helper()
			if got := observer.look().Totals.Batches; got != want {
				t.Errorf("look %d, want %d", got, want)
			}
		}
		expect(1)
		time.Sleep(lookEvery - 1)
		expect(1)
		time.Sleep(time.Nanosecond)
		expect(2)
		observer.freeze()
		time.Sleep(time.Hour)
		expect(3)
	})
}

func TestObserverAveragesBusyWorkers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		observer := &observer{service: &asked{}}
		if got := observer.busyWorkers(); got != 0 {
			t.Errorf("before the first look %v are busy", got)
		}
		for range 4 * busyLooks {
			observer.look()
			time.Sleep(lookEvery)
		}
		if got := observer.busyWorkers(); got != 1.5 {
			t.Errorf("mean %v, want 1.5", got)
		}
		if len(observer.busy) != busyLooks {
			t.Errorf("%d looks are kept", len(observer.busy))
		}
	})
}
