package partitionstream

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"streamer/internal/kafka"
)

// startMissing resolves and commits where partitions without a commit begin, and adds them to offsets and places. It runs
// in kgo's goroutine.
func (a *Assignment) startMissing(
	ctx context.Context, missing map[string][]int32, offsets map[string]map[int32]kgo.Offset, places map[partition]place,
) error {
	if len(missing) == 0 {
		return nil
	}
	select {
	case <-a.began: // or there is no client to commit with yet
	case <-ctx.Done():
		return ctx.Err()
	}
	var starts map[string]map[int32]int64
	err := persist(ctx, a.log, "resolve start offsets", passes, func() (err error) {
		starts, err = a.deps.Source.Start(ctx, missing)
		return err
	})
	if err != nil {
		return err
	}
	err = persist(ctx, a.log, "commit start offsets", commitPasses, func() error { return a.commitStarts(starts) })
	if err != nil {
		return err
	}
	for topic, partitions := range starts {
		for id, at := range partitions {
			offsets[topic][id] = kgo.NewOffset().At(at)
			places[partition{topic, id}] = place{at, -1}
			a.log.Info("partition starts without a commit", "topic", topic, "partition", id, "offset", at)
		}
	}
	return nil
}

// commitStarts commits the first place of partitions that had none. It runs in kgo's goroutine, between assignment and
// first fetch.
func (a *Assignment) commitStarts(starts map[string]map[int32]int64) error {
	offsets := make(map[string]map[int32]kgo.EpochOffset, len(starts))
	for topic, partitions := range starts {
		offsets[topic] = make(map[int32]kgo.EpochOffset, len(partitions))
		for id, at := range partitions {
			offsets[topic][id] = kgo.EpochOffset{Epoch: -1, Offset: at}
		}
	}
	// As one of the commits of which one is in flight.
	if err := a.call(func(done func()) { a.commits.waiting = append(a.commits.waiting, done) }); err != nil {
		return err
	}
	defer a.mail.post(func() { a.commits.inFlight = false })
	var failed error
	// Not under the session's context: a commit that is cancelled loses its connection, and the broker may take it after a
	// newer one.
	a.client.CommitOffsetsSync(a.commits.ctx, offsets, func(
		_ *kgo.Client, req *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error,
	) {
		_, failed = kafka.CommitResult(req, resp, err)
	})
	return failed
}

// persist calls f until it succeeds, fails with an error that does not pass, or ctx ends with the group's session. It runs
// in kgo's goroutine: an error that it returned would end the session, and so the assignment of every other partition.
func persist(ctx context.Context, log *slog.Logger, what string, passes func(error) bool, f func() error) error {
	for {
		err := f()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil || !passes(err) {
			return fmt.Errorf("%s: %w", what, err)
		}
		log.Warn("partitions cannot begin yet; trying again", "action", what, "error", err)
		select {
		case <-time.After(retryBackoff):
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, ctx.Err())
		}
	}
}

// passes tells errors of a look-up at the broker that end by themselves.
func passes(err error) bool {
	class := kafka.ClassifyPoll("", -1, err).Class
	return class == kafka.PollRetry || class == kafka.PollClosed
}

// commitPasses tells errors after which a first commit may be tried again. If the assignment is about to change the
// session's end stops the trying; until then nobody else owns the partition.
func commitPasses(err error) bool { return kafka.ClassifyCommit(err) != kafka.CommitFatal }
