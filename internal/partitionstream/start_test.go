package partitionstream

import (
	"errors"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// An error of the look-up would end the whole session, and with it every other partition's assignment.
func TestAStartThatCannotBeLookedUpYetIsTriedAgain(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		joins := w.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.JoinGroup}, Observe: true, Count: -1})
		s := usual()
		tries := 0
		s.source = &fakeSource{start: func(missing map[string][]int32) (map[string]map[int32]int64, error) {
			if tries++; tries < 3 {
				return nil, kerr.LeaderNotAvailable
			}
			return startAt(missing, 0), nil
		}}
		m := w.join(s)
		w.until("it owns its partitions", func() bool { return m.owns() == 2 })
		m.mustNotFail()
		if tries != 3 || joins.Hits() != 2 { // the first only brings the member's id
			t.Fatalf("%d look-ups in %d joins, want 3 in 2: the session ended in between", tries, joins.Hits())
		}
		m.stop()
	})
}

func TestACommitOfTheStartIsTriedAgain(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		w.cluster.Fault(kfake.Fault{
			Keys: []kmsg.Key{kmsg.OffsetCommit}, Partitions: []int32{0}, Err: kerr.CoordinatorLoadInProgress, Count: 30,
		})
		w.produce(0, 0, 10)
		m := w.join(usual())
		w.until("records are here", func() bool { return m.down.inBatch(0) == 10 })
		if c := w.commit(0).Offset; c != 0 {
			t.Fatalf("commit %d, want the start, 0, before the first record", c)
		}
		m.mustNotFail()
		m.stop()
	})
}

func TestAStartThatIsRefusedFails(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		s := usual()
		s.source = &fakeSource{start: func(map[string][]int32) (map[string]map[int32]int64, error) {
			return nil, kerr.TopicAuthorizationFailed
		}}
		m := w.join(s)
		w.until("it fails", func() bool { return len(m.failed) > 0 })
		if err := <-m.failed; !errors.Is(err, kerr.TopicAuthorizationFailed) {
			t.Fatalf("failed with %v", err)
		}
		m.stop()
	})
}
