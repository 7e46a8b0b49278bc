package partitionstream

import (
	"bytes"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/setting"
)

// fill writes count records of size bytes each.
func (w *world) fill(partition int32, count, size int) {
	w.t.Helper()
	for range count {
		r := &kgo.Record{Topic: topic, Partition: partition, Value: bytes.Repeat([]byte{'x'}, size)}
		if err := w.client.ProduceSync(w.t.Context(), r).FirstErr(); err != nil {
			w.t.Fatalf("produce: %v", err)
		}
	}
}

// The levels are several times what one fetch brings, 64 KiB, so that they are not jumped over.
func small() setup {
	s := usual()
	s.levels = Levels{Low: 400_000, High: 800_000, Full: 1_200_000}
	return s
}

func (m *member) paused(partition int32) bool {
	l, ok := m.look(partition)
	return ok && l.Paused
}

func TestRegression04DeadSinkPausesAndItsReturnResumes(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		m := w.join(small())
		w.fill(0, 200, 10_000)
		w.fill(1, 2, 10_000)
		w.until("the hot partition is paused", func() bool { return m.paused(0) })
		w.pass(time.Minute)
		if used := m.Budget().Used(); used < 800_000 || used > 1_200_000 {
			t.Fatalf("%d bytes in flight after a minute with a dead sink", used)
		}
		if m.paused(1) || m.owns() != 2 {
			t.Fatalf("the quiet partition is paused (%v) or lost, owns %d", m.paused(1), m.owns())
		}
		m.flow("all is committed", func() bool { return w.commit(0).Offset == 200 && w.commit(1).Offset == 2 })
		if m.paused(0) {
			t.Fatal("still paused with nothing in flight")
		}
		m.idleAtZero()
		m.stop()
	})
}

// Others may keep the level between the marks for as long as they please.
func TestRegression14PartitionWithNothingInFlightResumesAboveLowWater(t *testing.T) {
	inWorld(t, 3, func(t *testing.T, w *world) {
		m := w.join(small())
		w.fill(1, 22, 9_000)
		w.fill(2, 22, 9_000)
		w.until("two partitions hold more than low water", func() bool { return m.down.inBatch(1) == 22 && m.down.inBatch(2) == 22 })
		m.down.deliver()
		hold := m.down.takeDelivered() // the sink has it and does not answer
		w.fill(0, 60, 9_000)
		w.until("the hot partition is paused", func() bool { return m.paused(0) })
		m.flow("the hot partition flows on", func() bool { return w.commit(0).Offset == 60 })
		if used := m.Budget().Used(); used <= 400_000 {
			t.Fatalf("the level fell to %d: the test shows nothing", used)
		}
		for _, b := range hold {
			m.Acknowledged(b)
		}
		m.flow("all is committed", func() bool { return w.commit(1).Offset == 22 && w.commit(2).Offset == 22 })
		m.idleAtZero()
		m.stop()
	})
}

// What a paused partition holds must not wait for a long interval: nobody could go on before its end.
func TestAPauseSendsOpenBlocksOnTheirWay(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		s := small()
		s.block.Interval = setting.Duration(time.Hour)
		m := w.join(s)
		began := time.Now()
		w.fill(0, 200, 10_000)
		m.flow("all but what fits an open block is delivered", func() bool { return w.commit(0).Offset >= 80 })
		if took := time.Since(began); took > time.Minute {
			t.Fatalf("it took %v", took)
		}
		m.stop()
		m.idleAtZero()
	})
}

// kgo keeps its pauses across a revoke: a partition that was revoked while paused and is given back would stay silent.
func TestRegression03PartitionRevokedWhilePausedFlowsWhenItComesBack(t *testing.T) {
	inWorld(t, 2, func(_ *testing.T, w *world) {
		one := w.join(small())
		w.until("one owns all", func() bool { return one.owns() == 2 })
		w.fill(0, 80, 10_000)
		w.fill(1, 80, 10_000)
		w.until("both are paused", func() bool { return one.paused(0) && one.paused(1) })
		two := w.join(small())
		w.until("one partition moves", func() bool { return two.owns() == 1 && one.owns() == 1 })
		two.stop()
		w.until("it comes back", func() bool { return one.owns() == 2 })
		one.flow("both flow", func() bool { return w.commit(0).Offset == 80 && w.commit(1).Offset == 80 })
		one.stop()
		one.idleAtZero()
		two.idleAtZero()
	})
}

func TestAnOversizeRecordPasses(t *testing.T) {
	inWorld(t, 1, func(_ *testing.T, w *world) {
		m := w.join(small())
		w.fill(0, 3, 900_000)
		m.flow("all is committed", func() bool { return w.commit(0).Offset == 3 })
		m.idleAtZero()
		m.stop()
	})
}
