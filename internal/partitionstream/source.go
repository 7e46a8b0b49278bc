package partitionstream

import (
	"cmp"
	"context"
	"time"

	"streamer/internal/record"
)

// lookupTimeout bounds one look-up at the broker that the loop has asked for.
const lookupTimeout = 10 * time.Second

// Source answers questions about the log that need the broker. It is asked from goroutines other than the loop.
type Source interface {
	// Start is where partitions without a commit begin.
	Start(ctx context.Context, missing map[string][]int32) (map[string]map[int32]int64, error)
	// Committed is what the group has committed; partitions without a commit are left out.
	Committed(ctx context.Context, of map[string][]int32) (map[string]map[int32]int64, error)
	// Reset is where a partition whose position is out of the log's range goes on. It fails when the configuration says
	// that the run shall fail.
	Reset(ctx context.Context, topic string, partition int32, position int64) (int64, error)
	// Examine returns nil if a consumer at position gets on, a [kafka.UndecodableError] if the log has there what cannot be
	// read, and any other error if it could not be looked at.
	Examine(ctx context.Context, topic string, partition int32, position int64) error
	// ProbeTail returns end if the log holds no record in [position, end), and otherwise position.
	ProbeTail(ctx context.Context, topic string, partition int32, position, end int64) (int64, error)
}

// reset moves a stream whose position is out of the log's range. It first waits until what was received is committed,
// because that is good data whatever happened to the log behind it; settleResets goes on from there.
func (a *Assignment) reset(s *stream, err error) {
	if s.draining || s.resetting && s.doubt == nil {
		return
	}
	a.log.Warn("position is out of the log's range", "topic", s.owner.Topic, "partition", s.owner.Partition,
		"position", s.next, "error", err)
	if s.doubt != nil { // it is halted already; what a look would find at the position is of another log now
		s.doubt = nil
		return
	}
	a.halt(s) // the broker refuses the position at once: fetching it again would spin
}

// halt stops a stream's intake until settleResets has found out where it goes on.
func (a *Assignment) halt(s *stream) {
	s.resetting = true
	a.pauseFetch(s)
	if s.open != nil {
		a.put(s.cut(record.ByDrain))
	}
	a.resetting++
}

// settleResets looks after the streams that wait for a new place.
func (a *Assignment) settleResets() {
	if a.resetting == 0 {
		return
	}
	a.resetting = 0
	for _, s := range a.streams {
		if s.resetting {
			a.resetting++
			a.settleReset(s)
		}
	}
}

// settleReset asks where a resetting stream goes on, once all that it received is committed.
func (a *Assignment) settleReset(s *stream) {
	if s.asking || s.draining || !s.settled() {
		return
	}
	s.asking = true
	if s.doubt != nil {
		a.examine(s, a.examined)
		return
	}
	go func(position int64) { // of the loop's data it reads only what never changes
		ctx, cancel := context.WithTimeout(a.commits.ctx, lookupTimeout)
		defer cancel()
		to, err := a.deps.Source.Reset(ctx, s.owner.Topic, s.owner.Partition, position)
		a.mail.post(func() { a.resetTo(s, to, err) })
	}(s.next)
}

func (a *Assignment) resetTo(s *stream, to int64, err error) {
	p := keyOf(s.owner)
	if a.streams[p] != s || s.draining {
		return
	}
	if err != nil && passes(err) {
		a.log.Warn("looking for the log's range failed; trying again", "topic", p.topic, "partition", p.id, "error", err)
		a.askLater(s)
		return
	}
	if err != nil {
		a.deps.Fail(err)
		return
	}
	a.deps.Metrics.resets.Inc()
	a.log.Warn("partition goes on elsewhere: on_out_of_range",
		"topic", p.topic, "partition", p.id, "from", s.next, "to", to)
	a.fence([]*stream{s})
	began := a.beginAt(p, place{to, -1}, s.member)
	if !a.deps.Direct {
		// What is committed is the place that is out of range. Until the new one is committed a restart would jump again, and
		// under `latest` lose what came between.
		began.committed = -1
	}
	if began.finished() {
		a.pauseFetch(began)
	}
	a.seek(p, to)
}

// askLater lets settleResets ask again, not at once.
func (a *Assignment) askLater(s *stream) {
	time.AfterFunc(retryBackoff, func() { a.mail.post(func() { s.asking = false }) })
}

// probeTails finds out, for bounded streams that stand still before their end, whether anything is left there: a tail
// that was compacted away or deleted never shows up in a fetch.
func (a *Assignment) probeTails() {
	for _, s := range a.streams {
		idle := s.end != noEnd && !s.finished() && s.open == nil && s.account.Used() == 0 &&
			!s.draining && !s.resetting && !s.asking && s.next == s.probed
		s.probed = s.next
		if !idle {
			continue
		}
		s.asking = true
		go func(from int64) { // of the loop's data it reads only what never changes
			ctx, cancel := context.WithTimeout(a.commits.ctx, lookupTimeout)
			defer cancel()
			next, err := a.deps.Source.ProbeTail(ctx, s.owner.Topic, s.owner.Partition, from, s.end)
			a.mail.post(func() { a.tailProbed(s, from, next, err) })
		}(s.next)
	}
}

func (a *Assignment) tailProbed(s *stream, from, next int64, err error) {
	s.asking = false
	if err != nil {
		a.log.Warn("looking for the tail of a partition failed; trying again",
			"topic", s.owner.Topic, "partition", s.owner.Partition, "error", err)
		return
	}
	if a.streams[keyOf(s.owner)] != s || s.draining || s.next != from || next < s.end {
		return
	}
	s.reachEnd(time.Now())
	a.put(s.cut(record.ByEnd))
	a.pauseFetch(s)
}

func compare(x, y partition) int {
	return cmp.Or(cmp.Compare(x.topic, y.topic), cmp.Compare(x.id, y.id))
}
