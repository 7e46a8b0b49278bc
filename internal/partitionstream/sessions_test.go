package partitionstream

import (
	"testing"
	"testing/synctest"
	"time"

	"streamer/internal/kafka"
)

// With KIP-848 kgo begins session after session at once while the commits of new partitions cannot be fetched.
func TestSessionsThatFollowEachOtherAtOnceArePaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := &Assignment{ended: make(chan struct{})}
		began := time.Now()
		for range 1 + mostQuickSessions {
			a.paceSessions()
		}
		if took := time.Since(began); took != 0 {
			t.Fatalf("a rebalance waited %v", took)
		}
		for range 10 {
			a.paceSessions()
		}
		if took := time.Since(began); took != 10*retryBackoff {
			t.Fatalf("10 more took %v", took)
		}
		time.Sleep(time.Second) // virtual
		began = time.Now()
		if a.paceSessions(); time.Since(began) != 0 {
			t.Fatal("a session after a quiet time waited")
		}
		a.sessions.quick = mostQuickSessions
		close(a.ended)
		if a.paceSessions(); time.Since(began) != 0 {
			t.Fatal("a session after the end waited")
		}
	})
}

// The client lets a first commit and an ordinary one wait for each other under a lock; here they take turns.
func TestAFirstCommitTakesItsTurn(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		s := usual()
		s.protocol = kafka.ProtocolConsumer
		m := w.begun(s, 2)
		a, turn := m.Assignment, make(chan struct{})
		a.mail.post(func() {
			a.commits.inFlight = true
			a.commits.waiting = append(a.commits.waiting, func() { close(turn) })
		})
		w.pass(time.Second)
		select {
		case <-turn:
			t.Fatal("a second commit began while one was in flight")
		default:
		}
		a.mail.post(func() { a.commits.inFlight = false })
		<-turn
		w.produce(0, 0, 5)
		w.until("it is in a batch", func() bool { return m.down.inBatch(0) == 5 })
		m.down.deliver()
		m.ack()
		w.pass(time.Second)
		if c := w.commit(0).Offset; c != 0 {
			t.Fatalf("committed %d while the first commit was in flight", c)
		}
		a.mail.post(func() { a.commits.inFlight = false })
		m.stop()
		if c := w.commit(0).Offset; c != 5 {
			t.Fatalf("committed %d, want 5", c)
		}
	})
}
