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

// After a failed commit the next waits this long. It is built anew from what is acknowledged and owned then.
const commitBackoff = 250 * time.Millisecond

// committer is the state of committing: one commit is in flight, newer acknowledgements wait and supersede.
type committer struct {
	// ctx is cancelled only when the loop ends: cancelling a commit cuts its connection, and a commit sent after it on a new
	// one may overtake it.
	ctx    context.Context //nolint:containedctx // the lifetime of all commits, not of one call
	cancel context.CancelFunc

	inFlight  bool
	began     time.Time
	notBefore time.Time
}

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
	if a.deps.Direct || a.commits.inFlight || now.Before(a.commits.notBefore) {
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
	a.commits.inFlight, a.commits.began = true, now
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
	sent := sentOffsets(req)
	for i := range resp.Topics {
		t := &resp.Topics[i]
		for _, rp := range t.Partitions {
			p := partition{t.Topic, rp.Partition}
			// The call can succeed and a partition fail; both are looked at.
			if err := kerr.ErrorForCode(rp.ErrorCode); err != nil {
				a.commitFailed(now, p, err)
				continue
			}
			if s := a.streams[p]; s != nil && s.owner == owners[p] {
				s.committed = sent[p]
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
	if errors.Is(err, errNotOwned) {
		return // the partitions moved on; there is nothing to try again
	}
	class := kafka.ClassifyCommit(err)
	a.deps.Metrics.commitErrors.WithLabelValues(class.String()).Inc()
	a.commits.notBefore = now.Add(commitBackoff)
	if a.commits.ctx.Err() != nil {
		return
	}
	where := "all partitions"
	if p.topic != "" {
		where = fmt.Sprintf("%s/%d", p.topic, p.id)
	}
	if class == kafka.CommitFatal {
		a.deps.Fail(fmt.Errorf("commit offsets of %s: %w", where, err))
		return
	}
	a.log.Warn("commit failed; it is tried again with what is owned then",
		"partitions", where, "class", class.String(), "error", err)
}

// commitStarts commits the first place of partitions that had none. It runs in kgo's goroutine, between assignment and
// first fetch, and tries again until ctx ends with the session.
func (a *Assignment) commitStarts(ctx context.Context, starts map[string]map[int32]int64) error {
	offsets := make(map[string]map[int32]kgo.EpochOffset, len(starts))
	for topic, partitions := range starts {
		offsets[topic] = make(map[int32]kgo.EpochOffset, len(partitions))
		for id, at := range partitions {
			offsets[topic][id] = kgo.EpochOffset{Epoch: -1, Offset: at}
		}
	}
	for {
		err := a.commitStartsOnce(ctx, offsets)
		if err == nil || ctx.Err() != nil || kafka.ClassifyCommit(err) != kafka.CommitTransient {
			return err
		}
		a.log.Warn("committing the start offsets failed; trying again", "error", err)
		select {
		case <-time.After(commitBackoff):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (a *Assignment) commitStartsOnce(ctx context.Context, offsets map[string]map[int32]kgo.EpochOffset) error {
	var failed error
	a.client.CommitOffsetsSync(ctx, offsets, func(
		_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error,
	) {
		if failed = err; err != nil {
			return
		}
		for _, t := range resp.Topics {
			for _, p := range t.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
					failed = fmt.Errorf("%s/%d: %w", t.Topic, p.Partition, err)
				}
			}
		}
	})
	return failed
}

// errNotOwned means that nothing of a commit was owned any more when it was about to be sent.
var errNotOwned = errors.New("no partition of the commit is owned any more")

// liveOwners is who owns what at the moment, for the check that kgo makes in a goroutine of its own just before a commit
// is sent. The assignment loop writes it.
type liveOwners struct {
	mu     sync.Mutex
	owners map[partition]record.Owner
}

func (l *liveOwners) set(p partition, o record.Owner) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.owners[p] = o
}

func (l *liveOwners) remove(p partition) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.owners, p)
}

// keepOwned takes partitions out of a commit whose assignment is not the one that their offsets were acknowledged under.
func (l *liveOwners) keepOwned(req *kmsg.OffsetCommitRequest, queued map[partition]record.Owner) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	topics := req.Topics[:0]
	for _, t := range req.Topics {
		kept := t.Partitions[:0]
		for _, rp := range t.Partitions {
			p := partition{t.Topic, rp.Partition}
			if owner, ok := l.owners[p]; ok && owner == queued[p] {
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
