package partitionstream

import (
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"streamer/internal/kafka"
)

func TestRegression07StartIsCommittedBeforeTheFirstRecord(t *testing.T) {
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

func TestRegression08RevokeReturnsAfterTheCommitAndLeavesTheOthersAlone(t *testing.T) {
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

func TestRegression01RevokeEndsAtItsTimeoutAndALateAcknowledgementCommitsNothing(t *testing.T) {
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

// A partition's series go with it: a lag that nobody brings up to date any more would alarm for ever.
func TestRegression12SeriesGoWithThePartition(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		one := w.begun(usual(), 2)
		w.produce(0, 0, 5)
		w.produce(1, 0, 5)
		one.Ends(map[string]map[int32]int64{topic: {0: 5, 1: 5}})
		w.settle()
		m := one.deps.Metrics
		series := func() []int {
			counts := []int{}
			for _, vec := range []prometheus.Collector{
				m.lag, m.lagSeconds, m.committed, m.delivered, m.inFlow, m.paused, m.records, m.bytes,
			} {
				counts = append(counts, testutil.CollectAndCount(vec))
			}
			return counts
		}
		if got, want := series(), []int{2, 2, 2, 2, 2, 2, 2, 2}; !slices.Equal(got, want) {
			t.Fatalf("%v series of two partitions, want %v", got, want)
		}
		two := w.join(usual())
		one.flow("one partition moves", func() bool { return two.owns() == 1 && one.owns() == 1 })
		if got, want := series(), []int{1, 1, 1, 1, 1, 1, 1, 1}; !slices.Equal(got, want) {
			t.Fatalf("%v series of one partition, want %v", got, want)
		}
		two.stop()
		one.flow("it comes back", func() bool { return one.owns() == 2 })
		w.pass(2 * tick)
		if n := testutil.CollectAndCount(m.lag); n != 1 {
			t.Fatalf("%d series of lag, want one: the end of the partition that came back is not known yet", n)
		}
		one.stop()
	})
}
