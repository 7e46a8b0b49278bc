package partitionstream

import (
	"testing"
	"testing/synctest"
	"time"
)

// ended reports whether a stop is over.
func ended(drained <-chan struct{}) bool {
	synctest.Wait()
	select {
	case <-drained:
		return true
	default:
		return false
	}
}

func TestAStopDropsWhatIsInNoBatchAndWaitsForTheRest(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		m := w.join(usual())
		w.produce(0, 0, 20)
		w.until("it is in a batch", func() bool { return m.down.inBatch(0) == 20 })
		m.pool.mu.Lock()
		m.pool.held = true
		m.pool.mu.Unlock()
		w.produce(0, 20, 20)
		w.until("more waits for a worker", func() bool { l, _ := m.look(0); return l.Position == 40 })
		w.pass(time.Second)
		drained := m.Stop()
		if ended(drained) {
			t.Fatal("the stop did not wait for what is in a batch")
		}
		if left, err := m.Unsettled(); err != nil || len(left) != 1 || left[0].Span.First != 0 || left[0].Span.Next != 20 {
			t.Fatalf("unsettled %v, %v; want [0,20)", left, err)
		}
		m.down.deliver()
		m.ack()
		w.until("the stop ends", func() bool { return ended(drained) })
		if c := w.commit(0).Offset; c != 20 {
			t.Fatalf("commit %d, want 20", c)
		}
		if _, fenced := m.Counts(); fenced != 20 {
			t.Fatalf("%d records counted as fenced, want 20", fenced)
		}
		m.idleAtZero()
	})
}

// A member whose sink has failed must leave at once: if it waited on, others would get its partitions late.
func TestASinkThatHasFailedIsNotWaitedFor(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		m := w.join(usual())
		w.produce(0, 0, 20)
		w.produce(1, 0, 20)
		w.until("it is in a batch", func() bool { return m.down.inBatch(0) == 20 && m.down.inBatch(1) == 20 })
		m.down.deliver() // and the sink hangs
		drained := m.Stop()
		w.pass(time.Second)
		left, err := m.Unsettled()
		if err != nil || len(left) != 2 || left[0].Span.Next != 20 || left[1].Owner.Partition != 1 {
			t.Fatalf("unsettled %v, %v; want both partitions' spans", left, err)
		}
		m.Abandon()
		if !ended(drained) {
			t.Fatal("the stop goes on waiting")
		}
		began := time.Now()
		if err := m.client.LeaveGroupContext(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 100*time.Millisecond {
			t.Fatalf("leaving took %v", took)
		}
		m.ack() // late
		w.pass(time.Second)
		if c := w.commit(0).Offset; c != 0 {
			t.Fatalf("commit %d of what had been given up", c)
		}
		m.idleAtZero()
	})
}
