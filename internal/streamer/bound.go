package streamer

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"streamer/internal/kafka"
	"streamer/internal/partitionstream"
)

// A bounded run looks this often whether the group has reached the ends.
const boundEvery = 500 * time.Millisecond

// boundWatch ends a bounded run when every partition of the group has reached its end, whoever committed it.
type boundWatch struct {
	ends       *kafka.Ends
	group      string
	assignment *partitionstream.Assignment
	log        *slog.Logger
	progress   *Progress
	started    time.Time

	finished chan struct{} // closed when done; never without `until`
}

// Run looks until the ends are reached or ctx ends. The error says that they never will be.
func (w *boundWatch) Run(ctx context.Context) error {
	ticker := time.NewTicker(boundEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
		done, report, err := w.look(ctx)
		if _, moved := errors.AsType[*kafka.EndMovedError](err); moved {
			return err
		}
		if err != nil {
			if ctx.Err() == nil {
				w.log.Warn("looking for the bounded run's progress failed; trying again", "error", err)
			}
			continue
		}
		w.progress.show(report, time.Since(w.started))
		if done {
			w.progress.finish(report, time.Since(w.started))
			close(w.finished)
			return nil
		}
	}
}

func (w *boundWatch) look(ctx context.Context) (bool, []kafka.Progress, error) {
	ctx, cancel := context.WithTimeout(ctx, lagEvery)
	defer cancel()
	if w.group != "" {
		return w.ends.Reached(ctx, w.group)
	}
	looks, err := w.assignment.Snapshot()
	if err != nil {
		return false, nil, err
	}
	delivered := kafka.Offsets{}
	for _, p := range looks {
		delivered.Set(p.Owner.Topic, p.Owner.Partition, p.Delivered)
	}
	return w.ends.ReachedAt(ctx, delivered)
}
