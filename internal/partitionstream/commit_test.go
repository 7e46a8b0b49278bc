package partitionstream

import (
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"streamer/internal/kafka"
	"streamer/internal/record"
)

var commits = []kmsg.Key{kmsg.OffsetCommit}

// begun joins a member that owns everything and has its starts committed.
func (w *world) begun(s setup, partitions int) *member {
	w.t.Helper()
	m := w.join(s)
	w.until("it owns all", func() bool { return m.owns() == partitions })
	return m
}

func TestOneCommitIsInFlightAndNewerAcknowledgementsSupersede(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		m := w.begun(usual(), 1)
		inFlight, release := make(chan int64, 16), make(chan struct{})
		w.cluster.ControlKey(int16(kmsg.OffsetCommit), func(r kmsg.Request) (kmsg.Response, error, bool) {
			w.cluster.KeepControl()
			inFlight <- r.(*kmsg.OffsetCommitRequest).Topics[0].Partitions[0].Offset
			w.cluster.SleepControl(func() { <-release })
			return nil, nil, false
		})
		for i := range 5 {
			w.produce(0, i*10, 10)
			w.until("it is in a batch", func() bool { return m.down.inBatch(0) == int64(i+1)*10 })
			m.down.deliver()
			m.ack()
		}
		w.pass(2 * time.Second)
		if len(inFlight) != 1 || <-inFlight != 10 {
			t.Fatalf("%d more commits in flight, want the first alone", len(inFlight))
		}
		close(release)
		w.until("the rest is committed", func() bool { return w.commit(0).Offset == 50 })
		if len(inFlight) != 1 || <-inFlight != 50 {
			t.Fatalf("want one more commit, of all that came meanwhile")
		}
		m.stop()
	})
}

// Commits cost the broker as much whatever they say. In virtual time, so the times are exact.
func TestCommitsAreApartAndADrainDoesNotWait(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		m := w.begun(usual(), 1)
		w.pass(commitEvery)
		sent := w.cluster.Fault(kfake.Fault{Keys: commits, Observe: true, Count: -1})
		deliver := func(until int64) {
			w.produce(0, int(until)-10, 10)
			w.until("it is in a batch", func() bool { return m.down.inBatch(0) == until })
			m.down.deliver()
			m.ack()
		}
		began, until := time.Now(), int64(0)
		for time.Since(began) < 10*commitEvery {
			until += 10
			deliver(until)
		}
		if most := 1 + int(time.Since(began)/commitEvery); until < 200 || sent.Hits() > most {
			t.Fatalf("%d commits of %d acknowledgements, want at most %d", sent.Hits(), until/10, most)
		}
		w.pass(commitEvery)
		deliver(until + 10) // is committed at once
		deliver(until + 20) // waits
		if w.settle(); w.commit(0).Offset != until+10 {
			t.Fatalf("commit %d, want %d: the second must wait", w.commit(0).Offset, until+10)
		}
		began = time.Now()
		<-m.Stop()
		if waited := time.Since(began); waited >= commitEvery/2 || w.commit(0).Offset != until+20 {
			t.Fatalf("drained after %v with commit %d, want at once and %d", waited, w.commit(0).Offset, until+20)
		}
		m.stop()
	})
}

func TestCommitErrors(t *testing.T) {
	for _, c := range []struct {
		code  *kerr.Error
		count int
		fatal bool
	}{
		{kerr.CoordinatorLoadInProgress, 40, false}, // more than kgo itself tries
		{kerr.RequestTimedOut, 3, false},
		{kerr.RebalanceInProgress, 3, false},
		{kerr.TopicAuthorizationFailed, 1, true},
		{kerr.OffsetMetadataTooLarge, 1, true},
	} {
		t.Run(c.code.Message, func(t *testing.T) {
			inWorld(t, 2, func(t *testing.T, w *world) {
				m := w.begun(usual(), 2)
				// One partition's code alone: the call succeeds.
				w.cluster.Fault(kfake.Fault{Keys: commits, Topic: topic, Partitions: []int32{1}, Err: c.code, Count: c.count})
				w.produce(0, 0, 10)
				w.produce(1, 0, 10)
				m.flow("the other is committed", func() bool { return w.commit(0).Offset == 10 })
				if c.fatal {
					w.until("it fails", func() bool { return len(m.failed) > 0 })
					if err := <-m.failed; !errors.Is(err, c.code) {
						t.Fatalf("failed with %v, want %v", err, c.code)
					}
				} else {
					m.mustNotFail()
				}
				m.flow("it is committed", func() bool { return w.commit(1).Offset == 10 })
				m.stop()
				m.idleAtZero()
			})
		})
	}
}

// A commit that kgo holds back until the group has joined goes out under the new membership, which the broker accepts.
func TestRegression01CommitQueuedUnderAnEarlierAssignmentIsNotSent(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		m := w.begun(usual(), 1)
		w.produce(0, 0, 10)
		w.until("it is in a batch", func() bool { return m.down.inBatch(0) == 10 })
		sent := w.cluster.Fault(kfake.Fault{Keys: commits, Observe: true, Count: -1})
		owner := m.owner()
		member, _ := m.client.GroupMetadata()
		later := owner
		later.Epoch++
		m.live.set(keyOf(owner), tenure{later, member}) // as if the partition had been lost and given back meanwhile
		m.down.deliver()
		m.ack()
		w.pass(10 * time.Second)
		if sent.Hits() != 0 || w.commit(0).Offset != 0 {
			t.Fatalf("%d commits sent, commit %d", sent.Hits(), w.commit(0).Offset)
		}
		m.live.set(keyOf(owner), tenure{owner, "another"}) // as if the member had been kicked and had joined again
		w.pass(10 * time.Second)
		if sent.Hits() != 0 || w.commit(0).Offset != 0 {
			t.Fatalf("%d commits sent under another member id, commit %d", sent.Hits(), w.commit(0).Offset)
		}
		m.live.set(keyOf(owner), tenure{owner, member})
		w.until("it is committed", func() bool { return w.commit(0).Offset == 10 })
		m.stop()
	})
}

// owner is partition 0's.
func (m *member) owner() record.Owner {
	l, _ := m.look(0)
	return l.Owner
}

// A member that was kicked while acknowledged offsets were not committed yet must not take the new owner's progress back.
func TestAKickedMemberCommitsNothing(t *testing.T) {
	for _, protocol := range []string{kafka.ProtocolClassic, kafka.ProtocolConsumer} {
		t.Run(protocol, func(t *testing.T) {
			inWorld(t, 1, func(t *testing.T, w *world) {
				s := usual()
				s.protocol = protocol
				one := w.begun(s, 1)
				w.produce(0, 0, 20)
				w.until("it is in a batch", func() bool { return one.down.inBatch(0) == 20 })
				one.down.deliver()
				// The broker forgets the member; what the member sends from now on it does not know.
				kick := w.cluster.Fault(kfake.Fault{
					Keys: []kmsg.Key{kmsg.Heartbeat, kmsg.ConsumerGroupHeartbeat}, TopLevel: true, Err: kerr.UnknownMemberID, Count: 1,
				})
				if err := kick.Wait(t.Context(), 1); err != nil {
					t.Fatal(err)
				}
				old := one.down.takeDelivered()
				w.until("the member has a new assignment", func() bool { return one.owner().Epoch == 2 })
				one.flow("the new assignment delivers all", func() bool { return w.commit(0).Offset == 20 })
				w.produce(0, 20, 20)
				one.flow("and goes on", func() bool { return w.commit(0).Offset == 40 })
				for _, b := range old {
					one.Acknowledged(b) // of the assignment that was lost
				}
				w.pass(10 * time.Second)
				if c := w.commit(0).Offset; c != 40 {
					t.Fatalf("commit went back to %d", c)
				}
				one.stop()
				one.idleAtZero()
			})
		})
	}
}

// A late worker's block belongs to an assignment that has ended, though the partition is the member's again.
func TestRegression03LateBlockOfAnEarlierAssignmentIsFenced(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		s := usual()
		s.held = true
		m := w.begun(s, 1)
		w.produce(0, 0, 20)
		var late []*record.Block
		w.until("a worker has it", func() bool { late = append(late, m.pool.take()...); return len(late) > 0 })
		kick := w.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, TopLevel: true, Err: kerr.UnknownMemberID})
		if err := kick.Wait(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		w.until("the member has a new assignment", func() bool { return m.owner().Epoch == 2 })
		for _, b := range late {
			m.down.put(b)
		}
		m.flow("the new assignment delivers", func() bool {
			for _, b := range m.pool.take() {
				m.down.put(b)
			}
			return w.commit(0).Offset == 20
		})
		if n, err := m.down.got(); err != nil || n != 20 {
			t.Fatalf("%d records, %v; want each once", n, err)
		}
		m.stop()
		m.idleAtZero()
	})
}

// The markers of transactions take offsets; without them the lag would never be 0 behind one.
func TestRegression06MarkersAndAbortedRecordsAreCommittedOver(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		m := w.begun(usual(), 1)
		txn := w.newClient("txn", kgo.TransactionalID("x"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
		defer txn.Close()
		for i, commit := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort, kgo.TryCommit, kgo.TryAbort} {
			if err := txn.BeginTransaction(); err != nil {
				t.Fatal(err)
			}
			value := []byte("aborted")
			if commit == kgo.TryCommit {
				value = []byte{byte('0' + i/2)}
			}
			if err := txn.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: value}).FirstErr(); err != nil {
				t.Fatal(err)
			}
			if err := txn.EndTransaction(t.Context(), commit); err != nil {
				t.Fatal(err)
			}
		}
		m.flow("the last marker is committed over", func() bool { return w.commit(0).Offset == 8 })
		if n, err := m.down.got(); err != nil || n != 2 {
			t.Fatalf("%d records, %v; want the 2 committed ones", n, err)
		}
		m.stop()
		m.idleAtZero()
	})
}

// What is delivered and cannot be committed is lag without an end; the status must say why.
func TestTheStatusSaysWhyNothingIsCommitted(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		m := w.begun(usual(), 1)
		answer := make(chan struct{})
		w.cluster.ControlKey(int16(kmsg.OffsetCommit), func(kmsg.Request) (kmsg.Response, error, bool) {
			w.cluster.KeepControl()
			w.cluster.SleepControl(func() { <-answer })
			return nil, nil, false
		})
		w.produce(0, 0, 10)
		w.until("it is in a batch", func() bool { return m.down.inBatch(0) == 10 })
		m.down.deliver()
		m.ack()
		sent := time.Now()
		w.pass(slowCommit / 2)
		if l, _ := m.look(0); l.CommitErr != nil {
			t.Fatalf("a commit that takes %v is an error: %v", time.Since(sent), l.CommitErr)
		}
		w.pass(slowCommit/2 + commitEvery) // before the session ends: the broker does not take heartbeats meanwhile
		if l, _ := m.look(0); !errors.Is(l.CommitErr, errUnanswered) || !l.CommitErrSince.Equal(sent) {
			t.Fatalf("commit: %v since %v, sent at %v", l.CommitErr, l.CommitErrSince, sent)
		}
		close(answer)
		w.until("the first is done", func() bool { l, _ := m.look(0); return l.Committed == 10 && l.CommitErr == nil })
		refused := w.cluster.Fault(kfake.Fault{Keys: commits, Topic: topic, Err: kerr.RequestTimedOut, Count: -1})
		began := time.Now()
		w.produce(0, 10, 10)
		m.down.deliver()
		w.until("more is refused", func() bool { m.down.deliver(); m.ack(); l, _ := m.look(0); return l.CommitErr != nil })
		w.pass(time.Minute)
		if l, _ := m.look(0); !errors.Is(l.CommitErr, kerr.RequestTimedOut) || l.CommitErrSince.Sub(began) > time.Second {
			t.Fatalf("commit: %v since %v, refused from %v on", l.CommitErr, l.CommitErrSince, began)
		}
		refused.Remove()
		w.until("all is committed", func() bool { return w.commit(0).Offset == 20 })
		w.pass(time.Second)
		if l, _ := m.look(0); l.CommitErr != nil {
			t.Fatalf("commit: %v when all is committed", l.CommitErr)
		}
		m.stop()
	})
}
