package streamer

import (
	"flag"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

var (
	seeds = flag.Int("seeds", 100, "how many schedules TestSimulation plays")
	first = flag.Uint64("seed", 1, "the first schedule's seed")
)

// What may happen to a group, by weight.
var events = []struct {
	weight int
	happen func(w *world)
}{
	{8, func(w *world) { w.produce(w.rand.Int32N(partitions), 1+w.rand.IntN(30)) }},
	{3, func(w *world) {
		if len(w.members) < 3 {
			w.join()
		}
	}},
	{2, with((*member).stopOrCrash)},
	{2, with(func(m *member) { m.sink.hung.Store(!m.sink.hung.Load()) })},
	{2, with(func(m *member) { m.sink.sick.Store(m.w.rand.Int64N(4)) })},
	{2, with(func(m *member) { m.link.cut(false) })},
	{2, with(func(m *member) { m.link.cut(!m.link.isDown()) })}, // a zombie, if it lasts past the session timeout
	{2, with((*member).kick)},
	{2, (*world).refuseCommits},
	{6, func(w *world) { w.pass(time.Duration(w.rand.Int64N(int64(5 * time.Second)))) }},
	{1, func(w *world) { w.pass(12 * time.Second) }},
}

// with gives an event one of the members, if there are any.
func with(happen func(m *member)) func(w *world) {
	return func(w *world) {
		if len(w.members) > 0 {
			happen(w.members[w.rand.IntN(len(w.members))])
		}
	}
}

func (m *member) stopOrCrash() {
	if m.w.rand.IntN(2) == 0 {
		m.crash()
		return
	}
	m.heal()
	m.stop()
}

func (m *member) heal() {
	m.sink.hung.Store(false)
	m.sink.sick.Store(0)
	if m.link.isDown() {
		m.link.cut(false)
	}
}

func (l *link) isDown() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.down
}

// kick has the broker remove the member, as its session timeout would.
func (m *member) kick() {
	id, _ := m.client.GroupMetadata()
	req := kmsg.NewPtrConsumerGroupHeartbeatRequest()
	req.Group, req.MemberID, req.MemberEpoch = group, id, -1
	if _, err := req.RequestWith(m.w.t.Context(), m.w.client); err != nil {
		m.w.t.Fatalf("kick: %v", err)
	}
}

func (w *world) refuseCommits() {
	codes := []*kerr.Error{kerr.CoordinatorLoadInProgress, kerr.NotCoordinator, kerr.RequestTimedOut, kerr.RebalanceInProgress}
	w.cluster.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.OffsetCommit}, Topic: topic, Err: codes[w.rand.IntN(len(codes))], Count: 1 + w.rand.IntN(3),
	})
}

func (w *world) happen() {
	sum := 0
	for _, e := range events {
		sum += e.weight
	}
	at := w.rand.IntN(sum)
	for _, e := range events {
		if at -= e.weight; at < 0 {
			e.happen(w)
			return
		}
	}
}

// Members join, stop, crash, are kicked and cut off, sinks hang and fail, commits are refused. Whatever happens in
// whatever order: nothing is lost, order is kept, nothing is committed before it is delivered, no commit goes back, a
// clean stop leaves nothing uncommitted and no byte counted, and when the faults end everything gets through.
func TestSimulation(t *testing.T) {
	for i := range *seeds {
		seed := *first + uint64(i)
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { simulate(t, seed) })
		})
	}
}

func simulate(t *testing.T, seed uint64) {
	w := newWorld(t, seed)
	w.join()
	for range 40 {
		w.happen()
		w.check()
	}
	for _, m := range w.members {
		m.heal()
	}
	if len(w.members) == 0 {
		w.join()
	}
	w.until("all is committed", func() bool { return w.high == w.produced })
	for len(w.members) > 0 {
		w.members[0].stop()
	}
	if w.ledger.records == 0 && w.produced != [partitions]int64{} {
		t.Fatal("the simulation delivered nothing")
	}
}
