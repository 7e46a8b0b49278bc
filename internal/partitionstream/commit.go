package partitionstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"streamer/internal/kafka"
	"streamer/internal/record"
)

// After a failed commit or look-up the next waits this long. A commit is built anew from what is acknowledged and owned
// then.
const retryBackoff = 250 * time.Millisecond

// commitEvery is the least time between two commits.
const commitEvery = 100 * time.Millisecond

// committer is the state of committing: one commit is in flight, newer acknowledgements wait and supersede.
type committer struct {
	// ctx is cancelled only when the loop ends: cancelling a commit cuts its connection, and a commit sent after it on a new
	// one may overtake it.
	ctx    context.Context //nolint:containedctx // the lifetime of all commits, not of one call
	cancel context.CancelFunc

	inFlight  bool
	began     time.Time
	notBefore time.Time // after a failure
	next      time.Time // commits are at least commitEvery apart, except in a drain
	// waiting are commits of starts, made in kgo's goroutine, that wait for their turn.
	waiting []func()
}

// begin makes the context that commits run under.
func (c *committer) begin() { c.ctx, c.cancel = context.WithCancel(context.Background()) }

// Acknowledged takes a batch that the sink has made durable: its spans will be committed and its bytes are released. Any
// goroutine may call it, for batches in their order.
func (a *Assignment) Acknowledged(b *record.Batch) {
	a.mail.post(func() {
		for owner, span := range b.Spans {
			if s := a.streams[keyOf(owner)]; s != nil && s.owner == owner {
				s.acknowledge(span)
				if a.deps.Direct {
					s.committed = s.acked
				}
			}
		}
		for _, block := range b.Blocks {
			block.Release()
		}
	})
}

// commit sends what is acknowledged and not committed, if no commit is in flight.
func (a *Assignment) commit(now time.Time) {
	if a.deps.Direct || a.commits.inFlight {
		return
	}
	if len(a.commits.waiting) > 0 {
		a.commits.inFlight, a.commits.began = true, now
		a.commits.waiting[0]()
		a.commits.waiting = a.commits.waiting[1:]
		return
	}
	if now.Before(a.commits.notBefore) || now.Before(a.commits.next) && len(a.drains) == 0 {
		return
	}
	offsets := make(map[string]map[int32]kgo.EpochOffset)
	owners := make(map[partition]record.Owner)
	for p, s := range a.streams {
		if s.acked == s.committed {
			continue
		}
		if offsets[p.topic] == nil {
			offsets[p.topic] = make(map[int32]kgo.EpochOffset)
		}
		offsets[p.topic][p.id] = kgo.EpochOffset{Epoch: s.ackedEpoch, Offset: s.acked}
		owners[p] = s.owner
	}
	if len(owners) == 0 {
		return
	}
	a.commits.inFlight, a.commits.began, a.commits.next = true, now, now.Add(commitEvery)
	// kgo loads member and generation only when it sends: a commit that was queued under an assignment that has ended would
	// go out under the next one, and the broker would accept it. So each epoch is checked there again.
	ctx := kgo.PreCommitFnContext(a.commits.ctx, func(req *kmsg.OffsetCommitRequest) error {
		return a.live.keepOwned(req, owners)
	})
	// In its own goroutine: CommitOffsets waits while the group is joining.
	go a.client.CommitOffsets(ctx, offsets, func(
		_ *kgo.Client, req *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error,
	) {
		a.mail.post(func() { a.commitDone(owners, req, resp, err) })
	})
}

func (a *Assignment) commitDone(
	owners map[partition]record.Owner, req *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error,
) {
	now := time.Now()
	a.commits.inFlight = false
	a.deps.Metrics.commits.Observe(now.Sub(a.commits.began).Seconds())
	if err != nil {
		a.commitFailed(now, partition{}, err)
		return
	}
	sent, name := sentOffsets(req), kafka.CommittedTopics(req, resp)
	for i := range resp.Topics {
		for _, rp := range resp.Topics[i].Partitions {
			p := partition{name(i), rp.Partition}
			// The call can succeed and a partition fail; both are looked at.
			if err := kerr.ErrorForCode(rp.ErrorCode); err != nil {
				a.commitFailed(now, p, err)
				continue
			}
			if s := a.streams[p]; s != nil && s.owner == owners[p] {
				s.committed, s.commitErr = sent[p], nil
			}
		}
	}
}

func sentOffsets(req *kmsg.OffsetCommitRequest) map[partition]int64 {
	sent := make(map[partition]int64)
	for _, t := range req.Topics {
		for _, p := range t.Partitions {
			sent[partition{t.Topic, p.Partition}] = p.Offset
		}
	}
	return sent
}

func (a *Assignment) commitFailed(now time.Time, p partition, err error) {
	a.commits.notBefore = now.Add(retryBackoff)
	if errors.Is(err, errNotOwned) || errors.Is(err, kgo.ErrClientClosed) {
		return // the partitions moved on, and the callback that says so is on its way, or the service ends
	}
	class := kafka.ClassifyCommit(err)
	a.deps.Metrics.commitErrors.WithLabelValues(class.String()).Inc()
	if a.commits.ctx.Err() != nil {
		return
	}
	where := "all partitions"
	if p.topic != "" {
		where = fmt.Sprintf("%s/%d", p.topic, p.id)
	}
	if class == kafka.CommitFatal {
		a.deps.Fail(kafka.CommitError(where, err))
		return
	}
	for at, s := range a.streams {
		if (at == p || p.topic == "") && s.acked != s.committed {
			s.commitFailed(now, err)
		}
	}
	a.log.Warn("commit failed; it is tried again with what is owned then",
		"partitions", where, "class", class.String(), "error", err)
}

func (s *stream) commitFailed(now time.Time, err error) {
	if s.commitErr == nil {
		s.commitErrSince = now
	}
	s.commitErr = err
}

// errNotOwned means that nothing of a commit was owned any more when it was about to be sent.
var errNotOwned = errors.New("no partition of the commit is owned any more")

// liveOwners is who owns what at the moment, for the check that kgo makes in a goroutine of its own just before a commit
// is sent. The assignment loop writes it.
type liveOwners struct {
	mu     sync.Mutex
	owners map[partition]tenure
}

func (l *liveOwners) set(p partition, t tenure) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.owners[p] = t
}

func (l *liveOwners) remove(p partition) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.owners, p)
}

// keepOwned takes partitions out of a commit whose assignment, or whose membership, is not the one that their offsets were
// acknowledged under.
func (l *liveOwners) keepOwned(req *kmsg.OffsetCommitRequest, queued map[partition]record.Owner) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	topics := req.Topics[:0]
	for _, t := range req.Topics {
		kept := t.Partitions[:0]
		for _, rp := range t.Partitions {
			p := partition{t.Topic, rp.Partition}
			if now, ok := l.owners[p]; ok && now == (tenure{queued[p], req.MemberID}) {
				kept = append(kept, rp)
			}
		}
		if t.Partitions = kept; len(kept) > 0 {
			topics = append(topics, t)
		}
	}
	if req.Topics = topics; len(topics) == 0 {
		return errNotOwned
	}
	return nil
}
