package streamer

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"streamer/internal/batcher"
	"streamer/internal/partitionstream"
	"streamer/internal/record"
)

// The numbers are those of docs/reliability.md.

// prompt is a member that delivers small blocks at once.
func prompt() tuning {
	return tuning{
		block: partitionstream.Config{MaxRecords: 10, MaxBytes: 1 << 20},
		batch: batcher.Config{MaxRecords: 100, MaxBytes: 1 << 20},
	}
}

// inSimulatedWorld runs test in a world without a fault but those that it makes.
func inSimulatedWorld(t *testing.T, partitions int, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Helper()
		w := newWorld(t, 1, partitions)
		test(t, w)
		for len(w.members) > 0 {
			w.members[0].stop()
		}
	})
}

func (m *member) owns() int {
	looks, err := m.assignment.Snapshot()
	if err != nil {
		return 0
	}
	return len(looks)
}

// Blocks behind one that a worker still has are done, and are neither delivered nor committed.
func TestRegression02CommitIsOfWhatIsDoneWithoutAHole(t *testing.T) {
	t.Parallel()
	inSimulatedWorld(t, 1, func(t *testing.T, w *world) {
		var held atomic.Bool
		held.Store(true)
		w.holds = func(b *record.Block) bool { return b.Span.First == 0 && held.Load() }
		w.join(prompt())
		m := w.members[0]
		w.produce(0, 50)
		w.until("blocks wait for the first", func() bool { return m.sequencer.waiting.Load() > 0 })
		w.pass(time.Minute)
		if w.ledger.records != 0 || w.high[0] != 0 {
			t.Fatalf("%d records are delivered, %d is committed, past a block that is not done", w.ledger.records, w.high[0])
		}
		held.Store(false)
		w.until("all is committed", w.allCommitted)
	})
}

// Whatever stood still, progress begins by itself when the fault ends.
func TestRegression05ProgressResumes(t *testing.T) {
	t.Parallel()
	full := func(w *world) *member { // a member with no memory left, because its sink hangs
		w.join(prompt())
		m := w.members[0]
		m.sink.hung.Store(true)
		for p := range w.partitions() {
			w.produce(p, 100)
		}
		w.until("it is paused", func() bool { return m.Status().State == "sink-blocked" && m.Status().Partitions[0].Paused })
		return m
	}
	for name, fault := range map[string]func(w *world){
		"after a sink that was full for long": func(w *world) {
			w.join(prompt())
			w.members[0].sink.sick.Store(1 << 40)
			w.produce(0, 100)
			w.pass(20 * time.Minute)
		},
		"after more members came": func(w *world) {
			full(w)
			w.join(prompt())
			w.join(prompt())
			w.until("they share", func() bool { return w.members[1].owns() == 1 && w.members[2].owns() == 1 })
		},
		"after a rebalance": func(w *world) {
			m := full(w)
			w.join(prompt())
			w.until("they share", func() bool { return w.members[1].owns() > 0 })
			w.members[1].crash()
			w.until("it has all again", func() bool { return m.owns() == int(w.partitions()) })
		},
		"after the member was thrown out": func(w *world) {
			m := full(w)
			m.kick()
			w.pass(session)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inSimulatedWorld(t, 3, func(_ *testing.T, w *world) {
				fault(w)
				for _, m := range w.members {
					m.heal()
				}
				for p := range w.partitions() {
					w.produce(p, 10)
				}
				w.until("all is committed", w.allCommitted)
			})
		})
	}
}

// Blocks in the hands of workers are not waited for, however long those take; they are dropped when they come out.
func TestRegression08WorkerThatHasABlockDoesNotHoldTheRevoke(t *testing.T) {
	t.Parallel()
	inSimulatedWorld(t, 2, func(t *testing.T, w *world) {
		w.join(prompt())
		one := w.members[0]
		one.hung.Store(true)
		w.produce(0, 10)
		w.produce(1, 10)
		w.until("workers have blocks of both partitions", func() bool { busy, _ := one.pool.Load(); return busy == 2 })
		began := time.Now()
		w.join(prompt())
		two := w.members[1]
		w.until("the partition has moved", func() bool { return two.owns() == 1 && one.owns() == 1 })
		if took := time.Since(began); took > time.Duration(one.cfg.Source.Kafka.DrainTimeout) { // virtual
			t.Errorf("the revoke took %v", took)
		}
		one.heal()
		w.until("all is committed", w.allCommitted)
		if _, fenced := one.assignment.Counts(); fenced != 10 {
			t.Errorf("%d records were dropped, want the 10 of the partition that has gone", fenced)
		}
	})
}

// Readiness is red while no broker answers, and green again by itself; liveness is not concerned.
func TestRegression13ReadinessFollowsTheBrokers(t *testing.T) {
	t.Parallel()
	inSimulatedWorld(t, 1, func(t *testing.T, w *world) {
		w.join(prompt())
		m := w.members[0]
		w.until("it is ready", func() bool { return m.ready() == nil })
		m.link.cut(true)
		w.until("it is not ready any more", func() bool {
			err := m.ready()
			return err != nil && strings.Contains(err.Error(), "broker-lost")
		})
		w.pass(time.Hour)
		if err := m.live(); err != nil {
			t.Errorf("not alive without a broker: %v", err)
		}
		m.link.cut(false)
		w.until("it is ready again", func() bool { return m.ready() == nil })
	})
}
