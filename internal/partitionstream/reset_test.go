package partitionstream

import (
	"errors"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
)

func (w *world) deleteBefore(offset int64) {
	w.t.Helper()
	if err := w.cluster.DeleteRecords(topic, 0, offset); err != nil {
		w.t.Fatalf("delete records: %v", err)
	}
}

func TestOutOfRangeGoesOnWhereThePolicySays(t *testing.T) {
	for name, to := range map[string]int64{"earliest": 10, "latest": 30} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, 1, func(t *testing.T, w *world) {
				w.produce(0, 0, 30)
				w.deleteBefore(10)
				s := usual()
				asked := 0
				s.source = &fakeSource{reset: func(position int64) (int64, error) {
					if asked++; asked == 1 {
						return 0, &kerr.Error{Message: "LEADER_NOT_AVAILABLE", Code: kerr.LeaderNotAvailable.Code, Retriable: true}
					}
					if position != 0 {
						t.Errorf("asked about position %d, want 0", position)
					}
					return to, nil
				}}
				m := w.join(s)
				w.until("the new place is committed", func() bool { return w.commit(0).Offset == to })
				if asked != 2 {
					t.Errorf("asked %d times, want again after a failure that passes", asked)
				}
				w.produce(0, 30, 5)
				m.flow("records after the reset", func() bool { return w.commit(0).Offset == 35 })
				m.mustNotFail()
				m.stop()
				m.idleAtZero()
			})
		})
	}
}

func TestOutOfRangeFails(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		w.produce(0, 0, 30)
		w.deleteBefore(10)
		refused := errors.New("refused")
		s := usual()
		s.source = &fakeSource{reset: func(int64) (int64, error) { return 0, refused }}
		m := w.join(s)
		w.until("it fails", func() bool { return len(m.failed) == 1 })
		if err := <-m.failed; !errors.Is(err, refused) {
			t.Fatalf("failed with %v, want what the policy says", err)
		}
		m.stop()
	})
}
