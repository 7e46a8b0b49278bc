package streamer

import (
	"flag"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"streamer/internal/kafka"
	"streamer/internal/pipeline"
)

var (
	seeds = flag.Int("seeds", 200, "how many schedules TestSimulation plays")
	first = flag.Uint64("seed", 1, "the first schedule's seed")
)

// What may happen to a group, by weight.
var events = []struct {
	weight int
	happen func(w *world)
}{
	{8, func(w *world) { w.produce(w.anyPartition(), 1+w.rand.IntN(30)) }},
	{1, func(w *world) { w.transact(w.anyPartition(), 1+w.rand.IntN(10), kgo.TryCommit) }},
	{1, func(w *world) { w.transact(w.anyPartition(), 1+w.rand.IntN(10), kgo.TryAbort) }},
	{1, (*world).addPartition},
	{1, (*world).deleteRecords},
	{3, func(w *world) {
		if len(w.members) < 3 {
			w.join(w.draw())
		}
	}},
	{2, with((*member).leaveSomehow)},
	{2, with(func(m *member) { m.sink.hung.Store(!m.sink.hung.Load()) })},
	{2, with(func(m *member) { m.sink.sick.Store(m.w.rand.Int64N(4)) })},
	{1, with(func(m *member) { m.letters.sick.Store(m.w.rand.Int64N(4)) })},
	{1, with(func(m *member) { m.hung.Store(!m.hung.Load()) })},
	{2, with(func(m *member) { m.cut(false) })},
	{2, with(func(m *member) { m.cut(!m.link.isDown()) })}, // a zombie, if it lasts past the session timeout
	{2, with((*member).kick)},
	{3, (*world).refuseCommits},
	{6, func(w *world) { w.pass(upTo(w.rand, 5*time.Second)) }},
	{1, func(w *world) { w.pass(session + 2*time.Second) }},
}

// with gives an event one of the members, if there are any.
func with(happen func(m *member)) func(w *world) {
	return func(w *world) {
		if len(w.members) > 0 {
			happen(w.members[w.rand.IntN(len(w.members))])
		}
	}
}

func (m *member) leaveSomehow() {
	switch m.w.rand.IntN(4) {
	case 0, 1:
		m.crash()
	case 2:
		m.stopInTime(upTo(m.w.rand, 4*time.Second))
	default:
		m.heal()
		m.stop()
	}
}

// cut breaks the member's connections, and with them answers that it may have been on the way to.
func (m *member) cut(down bool) {
	m.link.cut(down)
	m.w.refusals = nil
}

const mostPartitions = 6

func (w *world) addPartition() {
	if len(w.high) == mostPartitions {
		return
	}
	w.high = append(w.high, 0)
	w.ledger.grow(len(w.high))
	if _, err := w.admin.UpdatePartitions(w.t.Context(), len(w.high), topic); err != nil {
		w.t.Fatalf("add a partition: %v", err)
	}
	w.reconnect() // a client that has produced looks for new partitions only now and then
}

// deleteRecords has the log begin later, perhaps past what members have read. What was not delivered by then is nobody's
// fault, whatever the policy does.
func (w *world) deleteRecords() {
	p := w.anyPartition()
	from := w.cluster.PartitionInfo(topic, p).LogStartOffset
	to := from + w.rand.Int64N(w.ledger.end(p)-from+1)
	w.ledger.excuse(p, to)
	if err := w.cluster.DeleteRecords(topic, p, to); err != nil {
		w.t.Fatalf("delete records: %v", err)
	}
}

// commitCodes is what a broker may answer a commit with.
var commitCodes = []*kerr.Error{
	kerr.CoordinatorLoadInProgress, kerr.CoordinatorNotAvailable, kerr.NotCoordinator, kerr.RequestTimedOut,
	kerr.UnstableOffsetCommit, kerr.UnknownTopicOrPartition, kerr.UnknownTopicID, kerr.NotLeaderForPartition,
	kerr.RebalanceInProgress, kerr.IllegalGeneration, kerr.UnknownMemberID, kerr.StaleMemberEpoch, kerr.FencedMemberEpoch,
	kerr.MemberIDRequired, kerr.GroupIDNotFound, kerr.GroupMaxSizeReached,
	kerr.OffsetMetadataTooLarge, kerr.InvalidCommitOffsetSize, kerr.InvalidGroupID, kerr.FencedInstanceID,
	kerr.TopicAuthorizationFailed, kerr.GroupAuthorizationFailed, kerr.UnsupportedVersion, kerr.UnknownServerError,
}

// refuseCommits has the broker answer the next commits with an error, of all partitions or of one. After a fatal one a
// member must stop with it.
func (w *world) refuseCommits() {
	code := commitCodes[w.rand.IntN(len(commitCodes))]
	fault := kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Topic: topic, Err: code, Count: 1 + w.rand.IntN(3)}
	if w.rand.IntN(2) == 0 {
		fault.Partitions = []int32{w.anyPartition()}
	}
	fatal := kafka.ClassifyCommit(code) == kafka.CommitFatal
	if fatal {
		w.refused = append(w.refused, code)
		// A start that is committed while the session ends is told to nobody: the next session commits it again.
		fault.Count, fault.When = 1, ofRecords
	}
	// If one answer has other codes too, the client may send the commit again by itself.
	alone := !slices.ContainsFunc(w.faults, func(r refusal) bool { return r.fault.Hits() < r.count })
	w.refusals = nil
	added := refusal{code, w.cluster.Fault(fault), fault.Count}
	w.faults = append(w.faults, added)
	if fatal && alone {
		w.refusals = []refusal{added}
	}
}

// ofRecords tells a commit of records that were delivered from one of starts, which has no leader epoch.
func ofRecords(r kmsg.Request) bool {
	for _, t := range r.(*kmsg.OffsetCommitRequest).Topics {
		for _, p := range t.Partitions {
			if p.LeaderEpoch < 0 {
				return false
			}
		}
	}
	return true
}

func (w *world) happen() {
	sum := 0
	for _, e := range events {
		sum += e.weight
	}
	at := w.rand.IntN(sum)
	for _, e := range events {
		if at -= e.weight; at < 0 {
			w.changed = time.Now()
			e.happen(w)
			return
		}
	}
}

// Members join, stop, crash, are kicked and cut off; sinks hang, fail and refuse; workers hang; commits are refused with
// every code; records are poison, aborted and deleted; partitions are added. Whatever happens in whatever order: nothing
// is lost, order is kept, nothing is committed before it is delivered, no commit goes back, a member that stops says why,
// a clean stop leaves nothing uncommitted and no byte counted, and when the faults end everything gets through.
func TestSimulation(t *testing.T) {
	t.Parallel()
	for i := range *seeds {
		seed := *first + uint64(i)
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			defer func() {
				if t.Failed() {
					t.Logf("again: go test %s-run 'TestSimulation/^%d$' ./internal/streamer -seeds 1 -seed %d", tags, seed, seed)
				}
			}()
			synctest.Test(t, func(t *testing.T) { simulate(t, seed) })
		})
	}
}

// newSimulation draws a world's rules.
func newSimulation(t *testing.T, seed uint64) *world {
	t.Helper()
	w := newWorld(t, seed, 1+int(seed%4))
	w.faulty = true
	w.protocol = protocols[w.rand.IntN(len(protocols))]
	w.onError = []string{pipeline.Fail, pipeline.Skip, pipeline.DeadLetter}[w.rand.IntN(3)]
	w.outOfRange = []string{kafka.OutOfRangeFail, kafka.OutOfRangeEarliest, kafka.OutOfRangeLatest}[w.rand.IntN(3)]
	// The embedded broker lets a static member of the consumer protocol that has left keep its partitions for ever.
	w.static = w.rand.IntN(3) == 0 && w.protocol == kafka.ProtocolClassic
	return w
}

func simulate(t *testing.T, seed uint64) {
	w := newSimulation(t, seed)
	w.join(w.draw())
	for range 40 {
		w.happen()
		w.settle()
	}
	for _, m := range w.members {
		m.heal()
	}
	w.until("all is committed", func() bool {
		if w.reap(); len(w.members) == 0 {
			w.join(w.draw())
		}
		return w.allCommitted()
	})
	for len(w.members) > 0 {
		w.members[0].stop()
	}
	for _, r := range w.refusals {
		if r.fault.Hits() > 0 {
			t.Fatalf("no member stopped after a commit that was answered with %v", r.code)
		}
	}
}
