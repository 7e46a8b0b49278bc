package streamer

import (
	"context"
	"errors"
	"sync"
	"time"

	"streamer/internal/admin"
	"streamer/internal/batcher"
	"streamer/internal/pipeline"
	"streamer/internal/record"
	"streamer/internal/sink"
)

// delivery is the goroutine that writes batches, one at a time and in order, and acknowledges them. One batch is in
// flight because a sink's failure does not in general fail all later ones: kgo goes on with the record after one that is
// too large, and acknowledging that one's batch would commit over a hole.
type delivery struct {
	writer       *sink.Writer
	wants        chan<- struct{}
	batches      <-chan *record.Batch
	acknowledged func(*record.Batch)
	failed       func(err error, reached bool)           // reached: everything before the record at fault is acknowledged
	reducer      func(context.Context) *pipeline.Reducer // gives nil unless the pipeline aggregates
	breaker      *breaker
	refusals     *refusals
	letters      *deadLetters // nil unless pipeline.on_error says dead_letter
	metrics      *batcher.Metrics
	history      *history
	dead         chan struct{} // closed when the sink has failed for good: nothing more will be acknowledged
	ended        chan struct{} // closed when Run has returned, so that the sink may be closed

	rows *pipeline.Reducer // only used by Run's goroutine
}

// Run writes until ctx ends or the sink fails for good.
func (d *delivery) Run(ctx context.Context) error {
	defer close(d.ended)
	d.rows = d.reducer(ctx)
	for {
		select {
		case d.wants <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		b := <-d.batches // the union answers a want at once
		refused, err := d.write(ctx, b)
		switch {
		case ctx.Err() != nil && err != nil:
			return nil
		case err != nil:
			d.failed(err, false)
		case refused != nil:
			d.failed(refused, true)
		default:
			continue
		}
		close(d.dead)
		return nil
	}
}

// write delivers the batch and its dead letters, and acknowledges it. If the sink refuses records for good that are to stop
// the service, what comes before the first of each partition and the other partitions are delivered all the same, and
// refused says which they were: the group's commit then stands at that record, and skipping it skips nothing else.
func (d *delivery) write(ctx context.Context, b *record.Batch) (refused, err error) {
	began := time.Now()
	if err = d.breaker.count(b); err != nil {
		return nil, err
	}
	if d.rows != nil {
		if err = d.rows.Reduce(b); err != nil {
			return nil, err
		}
	}
	for {
		err = d.writer.Write(ctx, b)
		rejected, ok := errors.AsType[*sink.RejectedError](err)
		if !ok || ctx.Err() != nil {
			break
		}
		stops, failed := d.refusals.settle(ctx, b, rejected)
		if stops && refused == nil {
			refused = err
		}
		if failed == nil {
			failed = d.breaker.recount(b)
		}
		if failed != nil {
			return nil, errors.Join(refused, failed)
		}
	}
	if err == nil && d.letters != nil {
		err = d.letters.write(ctx, b)
	}
	if err != nil {
		return nil, errors.Join(refused, err)
	}
	delays := batcher.DelaysOf(b, began)
	d.metrics.Delivered(delays)
	d.history.add(b, delays)
	d.acknowledged(b)
	return refused, nil
}

// historyLength is how many batches the status shows.
const historyLength = 100

// history keeps the last batches and the totals for the status page.
type history struct {
	mu     sync.Mutex // written by the delivery, read by the status
	last   []admin.Batch
	totals admin.Totals
}

func newHistory() *history { return &history{last: make([]admin.Batch, 0, historyLength+1)} }

func (h *history) add(b *record.Batch, t batcher.Delays) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = append(h.last, admin.Batch{
		ID: b.ID, Cut: b.Cut.String(), Closed: b.Closed,
		Records: b.Records, Blocks: len(b.Blocks), Partitions: len(b.Spans), Bytes: b.Bytes,
		SchedulingDelay: t.Scheduling.Seconds(), ProcessingTime: t.Processing.Seconds(), TotalDelay: t.Total.Seconds(),
	})
	if len(h.last) > historyLength {
		h.last = append(h.last[:0], h.last[1:]...)
	}
	h.totals.Batches++
	h.totals.Blocks += int64(len(b.Blocks))
	h.totals.Delivered += int64(b.Records)
	for _, block := range b.Blocks {
		h.totals.Filtered += int64(block.Filtered)
		h.totals.Skipped += int64(len(block.Skipped))
		h.totals.DeadLettered += int64(len(block.Dead))
		h.totals.Reduced += int64(block.Reduced)
	}
}

func (h *history) read() ([]admin.Batch, admin.Totals) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]admin.Batch(nil), h.last...), h.totals
}
