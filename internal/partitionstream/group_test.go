package partitionstream

import (
	"testing"
	"time"

	"streamer/internal/kafka"
)

func TestAPartitionWithoutACommitHasItsStartCommittedBeforeItsFirstRecord(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		w.produce(0, 0, 10)
		s := usual()
		s.source = &fakeSource{start: func(missing map[string][]int32) (map[string]map[int32]int64, error) {
			return startAt(missing, 4), nil
		}}
		m := w.join(s)
		w.until("records are in a batch", func() bool { return m.down.inBatch(0) == 10 })
		if c := w.commit(0); c.Offset != 4 {
			t.Fatalf("commit %d before anything was acknowledged, want the start, 4", c.Offset)
		}
		m.flow("all is committed", func() bool { return w.commit(0).Offset == 10 })
		if e := w.commit(0).Epoch; e < 0 {
			t.Fatalf("committed without a leader epoch: %d", e)
		}
		m.stop()
		again := w.join(usual())
		w.produce(0, 10, 5)
		w.until("the second run starts at the commit", func() bool { return again.down.inBatch(0) == 15 })
		for o, first := range again.down.begun {
			if first != 10 {
				t.Fatalf("%v began at %d, want 10", o, first)
			}
		}
		again.stop()
		again.idleAtZero()
	})
}

func TestARevokeReturnsAfterTheCommitAndLeavesTheOthersAlone(t *testing.T) {
	for _, protocol := range []string{kafka.ProtocolClassic, kafka.ProtocolConsumer} {
		t.Run(protocol, func(t *testing.T) {
			inWorld(t, 2, func(t *testing.T, w *world) {
				s := usual()
				s.protocol = protocol
				one := w.join(s)
				w.until("one owns all", func() bool { return one.owns() == 2 })
				w.produce(0, 0, 50)
				w.produce(1, 0, 50)
				w.until("all is in a batch", func() bool { return one.down.inBatch(0) == 50 && one.down.inBatch(1) == 50 })
				two := w.join(s)
				w.until("a partition is revoked", func() bool {
					a, _ := one.look(0)
					b, _ := one.look(1)
					return a.State == Draining || b.State == Draining
				})
				kept, gone := int32(0), int32(1)
				if l, _ := one.look(0); l.State == Draining {
					kept, gone = 1, 0
				}
				w.produce(kept, 50, 50)
				w.until("the kept partition flows during the drain", func() bool { return one.down.inBatch(kept) == 100 })
				if two.owns() != 0 {
					t.Fatal("the revoke returned before what is in a batch was acknowledged")
				}
				one.flow("the new owner has it", func() bool { return two.owns() == 1 })
				if c := w.commit(gone).Offset; c != 50 {
					t.Fatalf("commit %d of the revoked partition, want 50", c)
				}
				for o, first := range two.down.begun {
					if o.Partition != gone || first != 50 {
						t.Fatalf("the new owner began %v at %d, want partition %d at 50", o, first, gone)
					}
				}
				for o := range one.down.begun {
					if o.Partition == kept && o.Epoch > 2 {
						t.Fatalf("the kept partition was begun anew: %v", o)
					}
				}
				one.stop()
				two.stop()
				one.idleAtZero()
				two.idleAtZero()
			})
		})
	}
}

func TestARevokeEndsAtItsTimeoutAndALateAcknowledgementCommitsNothing(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		one := w.join(usual())
		w.until("one owns all", func() bool { return one.owns() == 2 })
		w.produce(0, 0, 50)
		w.produce(1, 0, 50)
		w.until("all is in a batch", func() bool { return one.down.inBatch(0) == 50 && one.down.inBatch(1) == 50 })
		one.down.deliver() // the sink has begun and hangs
		began := time.Now()
		two := w.join(usual())
		w.until("the revoke gives up", func() bool { return two.owns() == 1 && one.owns() == 1 })
		if took := time.Since(began); took > 12*time.Second {
			t.Fatalf("the new owner waited %v", took)
		}
		var gone int32
		for o := range two.down.begun {
			gone = o.Partition
		}
		one.ack() // late
		w.until("the kept one commits", func() bool { return w.commit(1-gone).Offset == 50 })
		if c := w.commit(gone).Offset; c != 0 {
			t.Fatalf("commit %d of a partition that had been given up, want 0", c)
		}
		two.flow("the new owner delivers it", func() bool { return w.commit(gone).Offset == 50 })
		one.stop()
		two.stop()
		one.idleAtZero()
		two.idleAtZero()
	})
}
