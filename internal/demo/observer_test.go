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
	return admin.Status{Totals: admin.Totals{Batches: a.times}}
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
		time.Sleep(1)
		expect(2)
		observer.freeze()
		time.Sleep(time.Hour)
		expect(3)
	})
}
