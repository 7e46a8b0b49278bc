package partitionstream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/kafka"
)

const (
	// mostDoubts is how often in a row the client may fail to read at a position where a look apart finds nothing wrong. Once
	// is a byte that was changed on the way.
	mostDoubts = 3
	// standsAfter is how long a partition may stand before the end of its log until somebody looks. kgo takes some broken
	// batches for ones that were cut off by the size of the fetch, and asks for them again and again without a word.
	standsAfter = 10 * time.Second
	// mostStandsAfter bounds the time between looks at a partition that stands for a good reason: its last batches hold no
	// record, or the broker is slow.
	mostStandsAfter = 5 * time.Minute
)

// tries counts looks at one position.
type tries struct {
	position int64
	since    time.Time
	wait     time.Duration
	n        int
}

// doubt halts a stream behind which there is something that the client could not read. What was received is delivered and
// committed; then its position is looked at apart. Nothing may be received meanwhile: kgo passes over a batch of a format
// that it does not know, and the stream, which covers gaps, would go on behind it.
func (a *Assignment) doubt(s *stream, why error) {
	if s.resetting || s.draining || s.finished() { // what is behind a bounded run's end is nothing to it
		return
	}
	a.log.Warn("a record batch could not be read; looking at it apart", "topic", s.owner.Topic,
		"partition", s.owner.Partition, "position", s.next, "error", why)
	s.doubt = why
	a.halt(s)
}

var errShort = errors.New("an offset is missing behind a batch of which not all records could be read")

// beforeGap is how many of the records come before the first offset that is missing.
func (s *stream) beforeGap(records []*kgo.Record) int {
	next := s.next
	for i, r := range records {
		if r.Offset > next {
			return i
		}
		next = max(next, r.Offset+1)
	}
	return len(records)
}

// examine looks at a stream's position and tells then, in the loop.
func (a *Assignment) examine(s *stream, then func(s *stream, from int64, err error)) {
	go func(from int64) { // of the loop's data it reads only what never changes
		ctx, cancel := context.WithTimeout(a.commits.ctx, lookupTimeout)
		defer cancel()
		err := a.deps.Source.Examine(ctx, s.owner.Topic, s.owner.Partition, from)
		a.mail.post(func() { then(s, from, err) })
	}(s.next)
}

// examined ends a doubt: the stream goes on if its position can be read after all.
func (a *Assignment) examined(s *stream, from int64, err error) {
	if a.streams[keyOf(s.owner)] != s || s.draining {
		return
	}
	if s.doubt == nil { // the log was cut meanwhile, see reset
		s.asking = false
		return
	}
	_, broken := errors.AsType[*kafka.UndecodableError](err) // it may have a broker's code as its cause
	if err != nil && !broken && passes(err) {
		a.log.Warn("looking at a record batch failed; trying again", "topic", s.owner.Topic, "partition", s.owner.Partition,
			"position", from, "error", err)
		a.askLater(s)
		return
	}
	if s.doubted.position != from {
		s.doubted = tries{position: from}
	}
	if s.doubted.n++; err == nil && s.doubted.n > mostDoubts {
		err = fmt.Errorf("position %d of %s/%d cannot be read, though a look apart finds nothing wrong: %w",
			from, s.owner.Topic, s.owner.Partition, s.doubt)
	}
	if err != nil { // it stays halted: while the service stops nothing behind the position may be received
		a.deps.Fail(err)
		return
	}
	a.log.Info("the record batch can be read: going on", "topic", s.owner.Topic, "partition", s.owner.Partition, "position", from)
	s.resetting, s.asking, s.doubt = false, false, nil
	s.short = a.deps.ShortBatches()
	a.unpause([]*stream{s})
	a.seek(keyOf(s.owner), from) // the client may stand past it, or have given the partition up
}

// probeStanding looks at streams that stand still before the end of the log with nothing in flight.
func (a *Assignment) probeStanding(now time.Time) {
	for _, s := range a.streams {
		stands := s.stats.logEnd > s.next && s.open == nil && s.account.Used() == 0 &&
			!s.draining && !s.resetting && !s.paused && !s.finished()
		if at := &s.standing; !stands || at.position != s.next || at.since.IsZero() {
			*at = tries{position: s.next, wait: standsAfter}
			if stands {
				at.since = now
			}
			continue
		}
		if a.looking || s.asking || now.Sub(s.standing.since) < s.standing.wait {
			continue
		}
		s.standing.since, s.standing.wait = now, min(2*s.standing.wait, mostStandsAfter)
		s.asking = true
		a.looking = true // one at a time: when a broker is slow, all of a thousand partitions stand
		a.examine(s, a.lookedAt)
	}
}

// lookedAt is told what a stream stands before. One that cannot be read is looked at again, without the client in between:
// it may have got past it meanwhile.
func (a *Assignment) lookedAt(s *stream, from int64, err error) {
	s.asking, a.looking = false, false
	if a.streams[keyOf(s.owner)] != s || s.next != from || err == nil {
		return
	}
	if _, broken := errors.AsType[*kafka.UndecodableError](err); broken {
		a.doubt(s, err)
		return
	}
	a.log.Warn("a partition stands still, and looking why failed", "topic", s.owner.Topic, "partition", s.owner.Partition,
		"position", from, "error", err)
}
