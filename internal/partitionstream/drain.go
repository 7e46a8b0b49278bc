package partitionstream

import (
	"maps"
	"slices"
	"time"

	"streamer/internal/record"
)

// drain is one wait for partitions to be delivered and committed as far as they are in a batch: of a revoke, or of a stop.
type drain struct {
	streams  []*stream
	to       map[record.Owner]int64 // where each must be acknowledged to
	deadline time.Time              // zero: none
	fenced   bool                   // its streams have ended; only the commit in flight is waited for
	done     func()
}

// drain begins to give up streams. What is in no batch is dropped: undelivered and uncommitted, it is neither loss nor
// duplicate, and waiting for it would let a slow step or a hung sink hold up the group. done is called, from the loop,
// when the rest is committed or the deadline has passed.
func (a *Assignment) drain(streams []*stream, deadline time.Time, done func()) {
	owners := make([]record.Owner, 0, len(streams))
	for _, s := range streams {
		s.draining = true
		owners = append(owners, s.owner)
		a.discard(s)
	}
	a.unpause(streams)
	a.removeQueued(owners)
	to := a.deps.Downstream.Drain(owners)
	a.drains = append(a.drains, &drain{streams: streams, to: to, deadline: deadline, done: done})
}

// settleDrains ends the drains that have reached their goal or their deadline. No drain ends while a commit is in flight:
// the group would go on, and the commit would reach the broker under the new generation.
func (a *Assignment) settleDrains(now time.Time) {
	a.drains = slices.DeleteFunc(a.drains, func(d *drain) bool {
		if !d.fenced && (a.drained(d) || d.past(now)) {
			a.report(d)
			a.fence(d.streams)
			d.fenced = true
		}
		if !d.fenced || a.commits.inFlight {
			return false
		}
		d.done()
		return true
	})
}

func (d *drain) past(now time.Time) bool { return !d.deadline.IsZero() && !now.Before(d.deadline) }

func (a *Assignment) drained(d *drain) bool {
	for _, s := range d.streams {
		if a.streams[keyOf(s.owner)] != s {
			continue // lost meanwhile
		}
		if (s.acked < d.to[s.owner] && !a.sinkGone) || s.committed != s.acked {
			return false
		}
	}
	return true
}

// report says what a drain gave up: at its deadline, or because the sink will acknowledge no more.
func (a *Assignment) report(d *drain) {
	for _, s := range d.streams {
		left, ok := unsettled(s, d.to[s.owner])
		if ok && a.streams[keyOf(s.owner)] == s {
			a.givenUp = append(a.givenUp, left)
			a.log.Warn("partition given up before all was delivered and committed: these offsets may be delivered again",
				"topic", s.owner.Topic, "partition", s.owner.Partition, "from", left.Span.First, "to", left.Span.Next)
		}
	}
}

// unsettled is the span between what is committed and what is, or should become, acknowledged.
func unsettled(s *stream, goal int64) (Unsettled, bool) {
	span := record.Span{First: s.committed, Next: max(goal, s.acked)}
	return Unsettled{s.owner, span}, !span.Empty()
}

// Stop ends intake and drains every partition. The channel closes when all that is in a batch is delivered and committed;
// the caller decides how long to wait.
func (a *Assignment) Stop() <-chan struct{} {
	done := make(chan struct{})
	a.mail.post(func() {
		a.stopping = true
		a.givenUp = nil // what revokes gave up belongs to others now
		a.drain(a.all(), time.Time{}, func() { close(done) })
	})
	return done
}

// Abandon makes drains, those to come too, wait only for the commits of what is acknowledged already: the sink will
// acknowledge no more.
func (a *Assignment) Abandon() { a.mail.post(func() { a.sinkGone = true }) }

// Unsettled returns, per partition, the span that is in a batch but not committed, in (topic, partition) order: what a
// stop is waiting for, or has given up.
func (a *Assignment) Unsettled() ([]Unsettled, error) {
	var left []Unsettled
	err := a.call(func(done func()) {
		defer done()
		left = slices.Clone(a.givenUp)
		goals := make(map[record.Owner]int64)
		for _, d := range a.drains {
			maps.Copy(goals, d.to)
		}
		for _, s := range a.all() {
			if u, ok := unsettled(s, goals[s.owner]); ok {
				left = append(left, u)
			}
		}
	})
	return left, err
}

// Unsettled is a span of a partition that is not committed.
type Unsettled struct {
	Owner record.Owner
	Span  record.Span
}

// all returns the streams in (topic, partition) order.
func (a *Assignment) all() []*stream {
	streams := make([]*stream, 0, len(a.streams))
	for _, s := range a.streams {
		streams = append(streams, s)
	}
	slices.SortFunc(streams, func(x, y *stream) int { return compare(keyOf(x.owner), keyOf(y.owner)) })
	return streams
}
