package streamer

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"streamer/internal/kafka"
	"streamer/internal/partitionstream"
)

// The log's ends are asked for this often. They come from ListOffsets and not from fetches, so that the lag of a paused
// partition is true.
const lagEvery = 5 * time.Second

// lagWatch keeps the ends of the assigned partitions up to date, and by the same look-up knows whether the brokers can be
// reached: a fetch that fails says nothing, because the client tries again in silence.
type lagWatch struct {
	lookups    *kafka.Admin
	ping       func(context.Context) error
	isolation  string
	assignment *partitionstream.Assignment
	log        *slog.Logger
	topics     *topicWatch

	mu    sync.Mutex // written by Run, read by the status
	err   error      // of the last look-up
	since time.Time  // of err
}

// Run looks until ctx ends.
func (w *lagWatch) Run(ctx context.Context) error {
	ticker := time.NewTicker(lagEvery)
	defer ticker.Stop()
	for {
		err := w.look(ctx)
		if ctx.Err() != nil {
			return nil // what the end of the service broke off says nothing of the brokers
		}
		w.note(err, time.Now())
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func (w *lagWatch) look(ctx context.Context) error {
	looks, ended := w.assignment.Snapshot()
	if ended != nil {
		return nil // the assignment has ended, and so will this
	}
	of := kafka.Partitions{}
	for _, p := range looks {
		of[p.Owner.Topic] = append(of[p.Owner.Topic], p.Owner.Partition)
	}
	if lost := w.lookAtEnds(ctx, of); lost != nil {
		return lost
	}
	ctx, cancel := context.WithTimeout(ctx, lagEvery)
	defer cancel()
	w.topics.look(ctx, slices.Collect(maps.Keys(of)))
	return nil
}

// lookAtEnds returns an error only if no broker can be reached.
func (w *lagWatch) lookAtEnds(ctx context.Context, of kafka.Partitions) error {
	if of.Len() == 0 {
		return bounded(ctx, w.ping)
	}
	return bounded(ctx, func(within context.Context) error {
		ends, err := w.lookups.Ends(within, of, w.isolation)
		if err == nil {
			w.assignment.Ends(ends)
			return nil
		}
		// With a time of its own: one broker that hangs has used up the other, and the rest may answer.
		if unreachable := bounded(ctx, w.ping); unreachable != nil {
			return unreachable
		}
		w.log.Warn("looking up the lag failed although the brokers answer; trying again", "error", err)
		return nil
	})
}

// bounded gives each question to the brokers the same time.
func bounded(ctx context.Context, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, lagEvery)
	defer cancel()
	return ask(ctx)
}

func (w *lagWatch) note(err error, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err != nil && w.err == nil:
		w.since = now
		w.log.Error("brokers lost: the client keeps trying", "error", err)
	case err == nil && w.err != nil:
		w.log.Info("brokers are back", "after", now.Sub(w.since).Round(time.Second).String())
	}
	w.err = err
}

// lost returns since when the brokers cannot be reached, and why; nil if they can.
func (w *lagWatch) lost() (since time.Time, why error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.since, w.err
}
