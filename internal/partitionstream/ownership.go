package partitionstream

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/record"
)

// Options are the client's options by which the assignment hears of its partitions.
func (a *Assignment) Options() []kgo.Opt {
	if a.deps.Direct {
		return nil
	}
	return []kgo.Opt{
		kgo.OnPartitionsAssigned(func(ctx context.Context, _ *kgo.Client, added map[string][]int32) {
			a.paceSessions()
			a.mail.post(func() { a.held = time.Time{} }) // it has joined
			a.restartKept(ctx)
			if len(added) == 0 {
				a.joined.Store(true) // with partitions the member is ready only once their places are known
			}
		}),
		// kgo calls this once the commits of new partitions are known and before it fetches the first of their records: the
		// only moment at which a stream can be made whose first span begins where the group's commit is.
		kgo.AdjustFetchOffsetsFn(a.assigned),
		kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, gone map[string][]int32) { a.revoked(gone) }),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, gone map[string][]int32) { a.lost(gone) }),
	}
}

// place is where a stream starts.
type place struct {
	offset int64
	epoch  int32
}

// assigned takes on partitions at the offsets that the group has committed. One without a commit gets its place from the
// start rule, and that is committed before its first poll: kgo would apply the rule again at every later assignment, and
// what arrived meanwhile would be lost. It runs in kgo's goroutine.
func (a *Assignment) assigned(
	ctx context.Context, offsets map[string]map[int32]kgo.Offset,
) (map[string]map[int32]kgo.Offset, error) {
	member, err := a.member(ctx)
	if err != nil {
		return nil, err
	}
	places, err := a.placesOf(ctx, offsets)
	if err != nil {
		return nil, err
	}
	err = a.call(func(done func()) {
		a.begin(places, member)
		done()
	})
	if err != nil {
		return nil, err
	}
	a.joined.Store(true)
	return offsets, nil
}

// placesOf is where partitions begin: at their commit, or where the start rule says, which is then filled in to offsets.
func (a *Assignment) placesOf(ctx context.Context, offsets map[string]map[int32]kgo.Offset) (map[partition]place, error) {
	places := make(map[partition]place)
	missing := make(map[string][]int32)
	for topic, partitions := range offsets {
		for id, offset := range partitions {
			at := offset.EpochOffset()
			if at.Offset < 0 {
				missing[topic] = append(missing[topic], id)
				continue
			}
			places[partition{topic, id}] = place{at.Offset, at.Epoch}
		}
	}
	if err := a.startMissing(ctx, missing, offsets, places); err != nil {
		return nil, err
	}
	return places, nil
}

// BeginDirect takes on partitions that are read without a group. Call it once, after Run was started.
func (a *Assignment) BeginDirect(offsets map[string]map[int32]int64) error {
	places := make(map[partition]place)
	for topic, partitions := range offsets {
		for id, at := range partitions {
			places[partition{topic, id}] = place{at, -1}
		}
	}
	return a.call(func(done func()) {
		a.begin(places, "")
		a.joined.Store(true) // and the loop polls
		done()
	})
}

// begin makes streams, in the loop. A stream that is there already belongs to an assignment whose end was not told (kgo
// fetches offsets again when a session ended before it had them); its epoch ends here.
func (a *Assignment) begin(places map[partition]place, member string) {
	if a.stopping {
		return
	}
	a.deps.Metrics.rebalances.WithLabelValues("assigned").Inc()
	var began, old []*stream
	for p := range places {
		if s := a.streams[p]; s != nil {
			old = append(old, s)
		}
	}
	a.fence(old)
	for p, at := range places {
		began = append(began, a.beginAt(p, at, member))
	}
	a.unpause(began) // kgo keeps a pause across a revoke: the partition would stay silent for ever
	for _, s := range began {
		if s.finished() {
			a.pauseFetch(s)
		}
	}
	a.log.Info("partitions assigned", "partitions", names(slices.Collect(maps.Keys(places))))
}

func (a *Assignment) beginAt(p partition, at place, member string) *stream {
	a.epoch++
	owner := record.Owner{Topic: p.topic, Partition: p.id, Epoch: a.epoch}
	end := int64(noEnd)
	if a.deps.End != nil {
		end = at.offset
		if bound, ok := a.deps.End(p.topic, p.id); ok {
			end = bound
		}
	}
	s := newStream(owner, a.cfg, a.budget.NewAccount(), at.offset, end)
	s.ackedEpoch, s.member = at.epoch, member
	a.streams[p] = s
	a.live.set(p, tenure{owner, member})
	a.deps.Downstream.Begin(owner, at.offset)
	return s
}

// revoked drains partitions that the group takes away and returns when their last delivered offsets are committed, or
// the drain timeout is over. It runs in kgo's goroutine. The empty map that kgo sends at each session's end is no news.
func (a *Assignment) revoked(gone map[string][]int32) {
	if len(gone) == 0 {
		return
	}
	member, _ := a.client.GroupMetadata()
	err := a.call(func(done func()) {
		a.deps.Metrics.rebalances.WithLabelValues("revoked").Inc()
		// Those of an earlier membership were lost before they were revoked; the ones that are kept begin anew in restartKept.
		a.fence(slices.DeleteFunc(a.streamsOf(gone), func(s *stream) bool { return s.member == member }))
		streams := a.streamsOf(gone)
		if len(streams) > 0 { // after a stop they have gone already
			a.log.Info("partitions revoked", "partitions", ownerNames(streams))
		}
		a.drain(streams, time.Now().Add(a.deps.DrainTimeout), done)
	})
	if err != nil {
		a.log.Debug("partitions revoked after the end", "error", err)
	}
}

// lost fences partitions that belong to somebody else already: commit nothing, deliver nothing more. It runs in kgo's
// goroutine.
func (a *Assignment) lost(gone map[string][]int32) {
	if len(gone) == 0 {
		return
	}
	err := a.call(func(done func()) {
		a.deps.Metrics.rebalances.WithLabelValues("lost").Inc()
		streams := a.streamsOf(gone)
		a.log.Warn("partitions lost", "partitions", ownerNames(streams))
		a.fence(streams)
		// A commit in flight was sent under the membership that is gone; the broker refuses it. Returning before its answer
		// would let it overlap with the next membership's commits.
		a.drains = append(a.drains, &drain{fenced: true, done: done})
	})
	if err != nil {
		a.log.Debug("partitions lost after the end", "error", err)
	}
}

func (a *Assignment) streamsOf(partitions map[string][]int32) []*stream {
	var found []*stream
	for topic, ids := range partitions {
		for _, id := range ids {
			if s := a.streams[partition{topic, id}]; s != nil {
				found = append(found, s)
			}
		}
	}
	return found
}

// fence ends streams at once: what they have in flight is dropped, undelivered as far as it is not being written now,
// and uncommitted.
func (a *Assignment) fence(streams []*stream) {
	owners := make([]record.Owner, 0, len(streams))
	streams = slices.DeleteFunc(slices.Clone(streams), func(s *stream) bool {
		return a.streams[keyOf(s.owner)] != s // fenced already, by a loss during its drain
	})
	if len(streams) == 0 {
		return
	}
	for _, s := range streams {
		p := keyOf(s.owner)
		owners = append(owners, s.owner)
		a.discard(s)
		delete(a.streams, p)
		a.live.remove(p)
		a.deps.Metrics.forget(s.owner)
		a.deps.Forget(map[string][]int32{p.topic: {p.id}})
	}
	a.unpause(streams)
	a.removeQueued(owners)
	a.deps.Downstream.Fence(owners)
}

// discard gives up the stream's open block.
func (a *Assignment) discard(s *stream) { a.countFenced(s.drop()) }

func (a *Assignment) countFenced(records int) {
	a.fencedRecords.Add(int64(records))
	a.deps.Metrics.fenced.Add(float64(records))
}

// Counts returns the records received and those dropped as fenced, since the start.
func (a *Assignment) Counts() (received, fenced int64) {
	return a.received.Load(), a.fencedRecords.Load()
}

// removeQueued gives up blocks that no worker has begun.
func (a *Assignment) removeQueued(owners []record.Owner) {
	set := make(map[record.Owner]bool, len(owners))
	for _, o := range owners {
		set[o] = true
	}
	for _, b := range a.deps.Pool.Remove(func(o record.Owner) bool { return set[o] }) {
		a.Fenced(b)
	}
}

// Fenced counts and releases a block that came out of the pool after its owner's end. Any goroutine may call it.
func (a *Assignment) Fenced(b *record.Block) {
	a.countFenced(b.Received)
	b.Release()
}

func names(partitions []partition) []string {
	out := make([]string, 0, len(partitions))
	for _, p := range partitions {
		out = append(out, fmt.Sprintf("%s/%d", p.topic, p.id))
	}
	slices.Sort(out)
	return out
}

func ownerNames(streams []*stream) []string {
	partitions := make([]partition, 0, len(streams))
	for _, s := range streams {
		partitions = append(partitions, keyOf(s.owner))
	}
	return names(partitions)
}
