package partitionstream

import (
	"testing"
	"time"

	"streamer/internal/kafka"
)

func direct(partitions ...int32) kafka.Offsets {
	at := kafka.Offsets{}
	for _, id := range partitions {
		at.Set(topic, id, 0)
	}
	return at
}

// The client fetches from the moment it exists. Records that came before the streams would be dropped, and the streams,
// which cover gaps, would go on behind them.
func TestADirectRunPollsNothingBeforeItsStreamsExist(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		w.produce(0, 0, 30)
		s := usual()
		s.direct = direct(0)
		m := w.join(s)
		w.pass(5 * time.Second)
		if err := m.BeginDirect(s.direct); err != nil {
			t.Fatal(err)
		}
		m.flow("all is delivered", func() bool {
			l, ok := m.look(0)
			return ok && l.Delivered == 30
		})
		if n, err := m.down.got(); err != nil || n != 30 {
			t.Fatalf("%d of 30 records, %v", n, err)
		}
		if c := w.commit(0).Offset; c != -1 {
			t.Fatalf("a run without a group committed %d", c)
		}
	})
}

// A run without a group has nothing to commit, so nothing may wait for a commit.
func TestADirectRunStopsAfterAReset(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		w.produce(0, 0, 30)
		if err := w.cluster.DeleteRecords(topic, 0, 10); err != nil {
			t.Fatal(err)
		}
		s := usual()
		s.direct = direct(0)
		s.source = &fakeSource{reset: func(int64) (int64, error) { return 30, nil }}
		m := w.join(s)
		if err := m.BeginDirect(s.direct); err != nil {
			t.Fatal(err)
		}
		w.until("the reset", func() bool {
			l, ok := m.look(0)
			return ok && l.Position == 30
		})
		m.stop()
	})
}
