package partitionstream

import (
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (w *world) deleteBefore(offset int64) {
	w.t.Helper()
	if err := w.cluster.DeleteRecords(topic, 0, offset); err != nil {
		w.t.Fatalf("delete records: %v", err)
	}
}

func TestRegression07OutOfRangeGoesOnWhereThePolicySays(t *testing.T) {
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

func TestRegression07OutOfRangeFails(t *testing.T) {
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

// While a loss waits for the commit in flight, kgo still fetches the partition, which nobody owns any more. If the broker
// refuses its position, it does so at once each time: that kept a core, and the broker, busy until the commit was answered.
func TestAPositionThatIsRefusedAfterALossIsNotFetchedAgainAndAgain(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		s := small()
		s.source = &fakeSource{reset: func(int64) (int64, error) { return 200, nil }}
		m := w.begun(s, 1)
		w.fill(0, 200, 10_000)
		w.until("it is paused", func() bool { return m.paused(0) })
		if err := w.cluster.DeleteRecords(topic, 0, 200); err != nil {
			t.Fatal(err)
		}
		answer := make(chan struct{})
		w.cluster.ControlKey(int16(kmsg.OffsetCommit), func(kmsg.Request) (kmsg.Response, error, bool) {
			w.cluster.SleepControl(func() { <-answer })
			return nil, nil, false
		})
		m.down.deliver()
		m.ack()
		w.until("it looks for its place", func() bool { l, _ := m.look(0); return l.State == Resetting })
		const most = 1000
		fetches := 0 // the cluster's
		w.cluster.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
			w.cluster.KeepControl()
			if fetches++; fetches > most {
				return nil, errors.New("enough"), true // or virtual time would stand still
			}
			return nil, nil, false
		})
		w.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, TopLevel: true, Err: kerr.UnknownMemberID})
		w.until("it is lost", func() bool { return m.owns() == 0 })
		w.pass(time.Second)
		if fetches > most {
			t.Error("the broker is asked for the position again and again")
		}
		close(answer)
		m.flow("the next assignment goes on", func() bool { return w.commit(0).Offset == 200 })
		m.stop()
	})
}
