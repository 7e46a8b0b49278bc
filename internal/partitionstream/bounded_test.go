package partitionstream

import (
	"testing"
	"time"
)

func endAt(end int64) func(string, int32) (int64, bool) {
	return func(_ string, id int32) (int64, bool) { return end, id == 0 }
}

func TestABoundedRunTakesNothingPastItsEnds(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		w.produce(0, 0, 50)
		w.produce(1, 0, 50) // its topic grew after the run began: not wanted
		s := usual()
		s.end = endAt(30)
		m := w.join(s)
		m.flow("the end is committed", func() bool { return w.commit(0).Offset == 30 })
		w.pass(10 * time.Second)
		if n, err := m.down.got(); err != nil || n != 30 {
			t.Fatalf("%d records, %v; want 30", n, err)
		}
		if l, _ := m.look(0); l.State != Finished || l.Position != 30 {
			t.Fatalf("state %s at %d, want finished at 30", l.State, l.Position)
		}
		if l, _ := m.look(1); l.State != Finished || w.commit(1).Offset != 0 {
			t.Fatalf("state %s, commit %d of a partition that has no end", l.State, w.commit(1).Offset)
		}
		m.stop()
		m.idleAtZero()
	})
}

func TestABoundedRunCommitsOverATailThatHoldsNothing(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		w.produce(0, 0, 30)
		s := usual()
		s.end = endAt(40) // offsets 30 to 39 were compacted away
		s.source = &fakeSource{probe: func(position, end int64) (int64, error) {
			if position != 30 || end != 40 {
				t.Errorf("probed [%d,%d), want [30,40)", position, end)
			}
			return end, nil
		}}
		m := w.join(s)
		m.flow("the end is committed", func() bool { return w.commit(0).Offset == 40 })
		if e := w.commit(0).Epoch; e != -1 {
			t.Fatalf("committed leader epoch %d for an offset that no record was seen before", e)
		}
		m.stop()
		m.idleAtZero()
	})
}
