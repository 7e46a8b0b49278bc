package sink

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"streamer/internal/record"
)

// nagEvery is how often a sink in trouble is logged: often enough that a log tail shows it, rarely enough that a night's
// outage does not drown everything else.
const nagEvery = 10 * time.Second

// Writer delivers batches to a sink and retries for as long as that may help. Write and Close belong to one goroutine;
// State may be called from any.
type Writer struct {
	sink    Sink
	waiter  Waiter // sink, if it waits by itself; else nil
	retry   Retry
	logger  *slog.Logger
	metrics *Metrics
	board   board
	// nagged is when trouble was last logged; only used by the writer's goroutine and, while that waits in an attempt,
	// by the nag.
	nagged time.Time
}

// NewWriter makes a writer over the sink, which it owns from then on.
func NewWriter(s Sink, cfg Config, logger *slog.Logger, metrics *Metrics) *Writer {
	w := &Writer{sink: s, retry: cfg.Retry, logger: logger, metrics: metrics}
	w.waiter, _ = s.(Waiter)
	w.board.rest()
	return w
}

// State returns what the writer does at the moment.
func (w *Writer) State() State {
	state := w.board.read()
	if state.Activity == Writing && w.waiter != nil {
		if err := w.waiter.Waiting(); err != nil {
			state.Activity, state.Err = Retrying, err
		}
	}
	return state
}

// Write delivers the batch and sets its Wrote. It returns nil when the sink has acknowledged all of it, an error that
// wraps the context's when ctx ended first, and any other failure that is not retryable as it came: after a
// [*RejectedError] it may be called again with what is left of the batch. While a failure is retryable it does not return.
func (w *Writer) Write(ctx context.Context, batch *record.Batch) error {
	defer w.board.rest()
	defer w.metrics.retrying.Set(0)
	for attempt := 1; ; attempt++ {
		err := w.attempt(ctx, batch, attempt)
		if err == nil {
			w.delivered(batch, attempt)
			return nil
		}
		class := classUnder(ctx, err)
		w.metrics.errors.WithLabelValues(class.String()).Inc()
		switch class {
		case Retryable:
		case Ended:
			return w.gaveUp(ctx, batch, attempt, err)
		case Permanent, Rejected, Unclassified:
			return fmt.Errorf("write batch %d: %w", batch.ID, err)
		}
		w.trouble(batch, attempt, err)
		if !wait(ctx, w.retry.pause(attempt, chance())) {
			return w.gaveUp(ctx, batch, attempt, err)
		}
		w.metrics.retries.Inc()
	}
}

// classUnder asks the context first, not the error: a sink that fails because we gave up may say so in its own words,
// and a deadline of the sink's own must not pass for ours.
func classUnder(ctx context.Context, err error) Class {
	class := Classify(err)
	switch {
	case ctx.Err() != nil:
		return Ended
	case class == Ended:
		return Unclassified
	default:
		return class
	}
}

// Close closes the sink.
func (w *Writer) Close() error {
	if err := w.sink.Close(); err != nil {
		return fmt.Errorf("close sink: %w", err)
	}
	return nil
}

func (w *Writer) attempt(ctx context.Context, batch *record.Batch, attempt int) error {
	w.board.begin(attempt)
	began := time.Now()
	stop := w.watch(batch, attempt)
	err := w.sink.Write(ctx, batch)
	stop()
	w.metrics.seconds.Observe(time.Since(began).Seconds())
	return err
}

func (w *Writer) gaveUp(ctx context.Context, batch *record.Batch, attempt int, err error) error {
	if attempt == 1 && Classify(err) == Ended {
		return fmt.Errorf("write batch %d: %w", batch.ID, context.Cause(ctx))
	}
	return fmt.Errorf("write batch %d: %w after %d attempts, the last failed: %w",
		batch.ID, context.Cause(ctx), attempt, err)
}

func (w *Writer) delivered(batch *record.Batch, attempt int) {
	batch.Wrote = time.Now()
	var records int
	var size int64
	for _, block := range batch.Blocks {
		records += block.Deliverable()
		size += block.Payload()
	}
	w.metrics.records.Add(float64(records))
	w.metrics.bytes.Add(float64(size))
	if state := w.board.read(); state.Activity == Retrying {
		w.logger.Info("sink works again", "batch", batch.ID, "attempt", attempt,
			"after", time.Since(state.Since).Round(time.Millisecond).String())
		w.nagged = time.Time{} // the next outage is news again
	}
}

// trouble makes a retryable failure visible: at once in the state, and in the log at most every nagEvery.
func (w *Writer) trouble(batch *record.Batch, attempt int, err error) {
	since := w.board.fail(err)
	w.metrics.retrying.Set(1)
	if now := time.Now(); now.Sub(w.nagged) >= nagEvery {
		w.nagged = now
		w.logger.Error("sink fails, trying again", "batch", batch.ID, "attempt", attempt,
			"for", now.Sub(since).Round(time.Millisecond).String(), "error", err)
	}
}

// watch looks now and then, while an attempt runs, whether the sink waits by itself. The caller must call stop, which
// returns when no look is under way any more.
func (w *Writer) watch(batch *record.Batch, attempt int) (stop func()) {
	if w.waiter == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { // ended by stop
		defer close(done)
		for wait(ctx, nagEvery/10) {
			if err := w.waiter.Waiting(); err != nil {
				w.trouble(batch, attempt, err)
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// wait returns true after d, or false at once when ctx ends.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
