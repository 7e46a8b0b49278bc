package streamer

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"streamer/internal/batcher"
	"streamer/internal/record"
	"streamer/internal/union"
)

// sequencer runs the two pure cores between the pool and the writer: the union, which restores order, and the batcher,
// which cuts. One goroutine owns both. It never waits for the sink: closed batches queue here, bounded by the byte
// budget, so that the assignment loop's questions are always answered soon.
type sequencer struct {
	blocks <-chan *record.Block // from the workers
	asks   chan func()          // from the assignment loop; unbuffered, so that an answer is from after the question
	wants  <-chan struct{}      // the writer is free
	gives  chan<- *record.Batch // answered at once by a writer that wants
	ended  chan struct{}

	interval bool        // false: a batch is cut as soon as the writer is free
	hurry    func() bool // true: likewise, for now
	fenced   func(*record.Block)
	stopped  func(record.Owner, *record.Failure)
	metrics  *batcher.Metrics
	failures failureLog

	// Shown to the status page and the liveness check.
	waiting, ready atomic.Int64
	moved          atomic.Int64 // nanoseconds since born; the goroutine moves at least every second
	born           time.Time

	mu    sync.Mutex             // reach is written by Run's goroutine and read by the status too
	reach map[record.Owner]int64 // where each owner's last block in a batch ends

	// Only used by Run's goroutine.

	order *union.Order
	open  *batcher.Accumulator
	queue []*record.Batch
}

func newSequencer(cfg batcher.Config, metrics *batcher.Metrics) *sequencer {
	return &sequencer{
		asks: make(chan func()), ended: make(chan struct{}), born: time.Now(),
		interval: cfg.Interval > 0, hurry: func() bool { return false }, metrics: metrics,
		order: union.NewOrder(), open: batcher.New(cfg), reach: make(map[record.Owner]int64),
	}
}

// Run orders and cuts until ctx ends.
func (s *sequencer) Run(ctx context.Context) error {
	defer close(s.ended)
	timer := time.NewTimer(time.Second)
	defer timer.Stop()
	for {
		s.moved.Store(int64(time.Since(s.born)))
		at, due := s.open.Due()
		timer.Reset(time.Second)
		if due {
			timer.Reset(min(time.Second, time.Until(at)))
		}
		select {
		case b := <-s.blocks:
			s.take(b)
		case ask := <-s.asks:
			ask()
		case <-s.wanted():
			s.gives <- s.next()
		case now := <-timer.C:
			if due && !now.Before(at) {
				s.cut(record.ByInterval, now)
			}
		case <-ctx.Done():
			return nil
		}
		s.waiting.Store(int64(s.order.Waiting()))
		s.ready.Store(int64(len(s.queue)))
	}
}

// wanted is the writer's request if there is something to answer it with.
func (s *sequencer) wanted() <-chan struct{} {
	if len(s.queue) > 0 || !s.open.Empty() && (!s.interval || s.hurry()) {
		return s.wants
	}
	return nil
}

func (s *sequencer) next() *record.Batch {
	if len(s.queue) == 0 {
		s.cut(s.early(), time.Now())
	}
	b := s.queue[0]
	s.queue[0] = nil
	s.queue = s.queue[1:]
	return b
}

// early is why the open batch is cut before its interval is over.
func (s *sequencer) early() record.Reason {
	if s.interval {
		return record.ByBytes // its memory is wanted, or nothing is left to wait for
	}
	return record.ByIdle
}

func (s *sequencer) take(b *record.Block) {
	ready, ok := s.order.Put(b)
	if !ok {
		s.fenced(b)
		return
	}
	for _, b := range ready {
		s.add(b)
	}
}

func (s *sequencer) add(b *record.Block) {
	now := time.Now()
	s.failures.skipped(b.Owner, b.Skipped, now)
	if !b.Span.Empty() {
		s.open.Add(b, now)
		s.reached(b.Owner, b.Span.Next)
		if why, full := s.open.Full(); full {
			s.cut(why, now)
		}
	}
	if b.Stopped != nil {
		s.stop(b, now)
	}
}

// stop ends an owner behind a record that failed: what came before it is delivered without waiting for the interval,
// and nothing past it will pass.
func (s *sequencer) stop(b *record.Block, now time.Time) {
	s.drop(b.Owner)
	s.cut(record.ByDrain, now)
	failure := *b.Stopped
	if b.Span.Empty() {
		s.fenced(b)
	}
	s.stopped(b.Owner, &failure)
}

func (s *sequencer) cut(why record.Reason, now time.Time) {
	if b := s.open.Cut(why, now); b != nil {
		s.queue = append(s.queue, b)
		s.metrics.Cut(b)
	}
}

// drop forgets the blocks of an owner that wait for one before them, and refuses later ones.
func (s *sequencer) drop(owner record.Owner) {
	for _, b := range s.order.Fence(owner) {
		s.fenced(b)
	}
}

// ask runs f in Run's goroutine and returns when it is done. After Run has ended nothing of it is left to ask about.
func (s *sequencer) ask(f func()) {
	done := make(chan struct{})
	select {
	case s.asks <- func() { f(); close(done) }:
		<-done
	case <-s.ended:
	}
}

// Begin implements [partitionstream.Downstream].
func (s *sequencer) Begin(owner record.Owner, first int64) {
	s.ask(func() { s.order.Begin(owner, first) })
}

// Drain implements [partitionstream.Downstream].
func (s *sequencer) Drain(owners []record.Owner) map[record.Owner]int64 {
	reach := make(map[record.Owner]int64)
	s.ask(func() {
		held := false
		for _, o := range owners {
			s.drop(o)
			held = held || s.open.Holds(o)
			if at, ok := s.Reach(o); ok {
				reach[o] = at
			}
		}
		if held {
			s.cut(record.ByDrain, time.Now())
		}
	})
	return reach
}

// Fence implements [partitionstream.Downstream].
func (s *sequencer) Fence(owners []record.Owner) {
	s.ask(func() {
		gone := make(map[record.Owner]bool, len(owners))
		held := false
		for _, o := range owners {
			s.drop(o)
			s.unreach(o)
			gone[o] = true
			held = held || s.open.Holds(o)
		}
		if held {
			s.cut(record.ByDrain, time.Now())
		}
		for _, b := range s.queue {
			batcher.Remove(b, func(o record.Owner) bool { return gone[o] })
		}
		s.queue = slices.DeleteFunc(s.queue, func(b *record.Batch) bool { return len(b.Blocks) == 0 })
	})
}

// Reach is where the owner's last block in a batch ends; false if it has none. Any goroutine may call it; it waits for
// nobody.
func (s *sequencer) Reach(o record.Owner) (int64, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.reach[o]
	return at, ok
}

func (s *sequencer) reached(o record.Owner, at int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reach[o] = at
}

func (s *sequencer) unreach(o record.Owner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.reach, o)
}

// Stalled returns how long ago the goroutine last came round; it waits for nobody, so that is at most a second.
func (s *sequencer) Stalled() time.Duration {
	return time.Since(s.born) - time.Duration(s.moved.Load())
}
