// Package processor runs the worker pool: any idle worker takes the next block of any partition.
package processor

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"streamer/internal/record"
)

// Worker processes one block at a time; each goroutine of the pool has its own. It must not block and must not fail:
// what is wrong with a record is written into the block.
type Worker interface {
	Process(b *record.Block)
}

// Pool is a queue of blocks and the workers that empty it. The queue has no bound of its own: the byte budget, against
// which every block is charged before it is put here, is the bound, so that the goroutine that polls never blocks.
type Pool struct {
	workers   int
	newWorker func(context.Context) Worker
	out       chan<- *record.Block
	metrics   *Metrics
	onIdle    func()

	mu       sync.Mutex
	notEmpty sync.Cond // on mu
	queue    []*record.Block
	idle     int
	closed   bool
	began    []time.Time // when each worker took the block that it has; zero for one that has none
}

// New makes a pool of n workers that hands processed blocks to out. onIdle is called, from a worker that finds the queue
// empty, without a lock held; it must not block.
func New(
	n int, newWorker func(context.Context) Worker, out chan<- *record.Block, metrics *Metrics, onIdle func(),
) *Pool {
	p := &Pool{
		workers: n, newWorker: newWorker, out: out, metrics: metrics, onIdle: onIdle,
		began: make([]time.Time, n),
	}
	p.notEmpty.L = &p.mu
	metrics.workers.Set(float64(n))
	return p
}

// Put queues blocks. It never blocks.
func (p *Pool) Put(blocks ...*record.Block) {
	if len(blocks) == 0 {
		return
	}
	now := time.Now()
	for _, b := range blocks {
		b.Queued = now
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue = append(p.queue, blocks...)
	p.metrics.queued.Set(float64(len(p.queue)))
	for range blocks {
		p.notEmpty.Signal()
	}
}

// Free returns how many workers would start at once on a block put now.
func (p *Pool) Free() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(0, p.idle-len(p.queue))
}

// Load returns the workers that process a block, and the blocks that wait for one.
func (p *Pool) Load() (busy, queued int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.workers - p.idle, len(p.queue)
}

// Stalled returns how long the worker that has been at its block for the longest time has been; 0 when all are idle. One
// that hangs is seen also while the others go on.
func (p *Pool) Stalled(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	var longest time.Duration
	for _, began := range p.began {
		if !began.IsZero() {
			longest = max(longest, now.Sub(began))
		}
	}
	return longest
}

// Remove takes the owners' blocks off the queue and returns them; the caller releases them. Blocks that a worker already
// has are not found here: they come out at the other end and are refused there.
func (p *Pool) Remove(fenced func(record.Owner) bool) []*record.Block {
	p.mu.Lock()
	defer p.mu.Unlock()
	var removed []*record.Block
	kept := p.queue[:0]
	for _, b := range p.queue {
		if fenced(b.Owner) {
			removed = append(removed, b)
		} else {
			kept = append(kept, b)
		}
	}
	clear(p.queue[len(kept):]) // or the removed blocks' records stay reachable behind the slice
	p.queue = kept
	p.metrics.queued.Set(float64(len(p.queue)))
	return removed
}

// Run starts the workers and returns when ctx has ended and every worker has stopped. Blocks still queued or in hand are
// abandoned.
func (p *Pool) Run(ctx context.Context) error {
	p.mu.Lock()
	p.idle = p.workers
	p.mu.Unlock()
	stop := context.AfterFunc(ctx, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.closed = true
		p.notEmpty.Broadcast()
	})
	defer stop()
	var group errgroup.Group
	for i := range p.workers {
		worker := p.newWorker(ctx)
		group.Go(func() error {
			p.work(ctx, i, worker)
			return nil
		})
	}
	return group.Wait()
}

func (p *Pool) work(ctx context.Context, i int, w Worker) {
	for {
		b := p.take(i)
		if b == nil {
			return
		}
		b.Began = time.Now()
		w.Process(b)
		if ctx.Err() != nil { // a worker may have given up on the block then
			return
		}
		b.Done = time.Now()
		p.metrics.observe(b)
		select {
		case p.out <- b:
		case <-ctx.Done():
			return
		}
		p.finish(i)
	}
}

// take waits for a block for worker i; nil means that the pool has ended.
func (p *Pool) take(i int) *record.Block {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.queue) == 0 && !p.closed {
		p.notEmpty.Wait()
	}
	if p.closed {
		return nil
	}
	b := p.queue[0]
	p.queue[0] = nil
	p.queue = p.queue[1:]
	p.idle--
	p.began[i] = time.Now()
	p.metrics.queued.Set(float64(len(p.queue)))
	p.metrics.busy.Set(float64(p.workers - p.idle))
	return b
}

func (p *Pool) finish(i int) {
	p.mu.Lock()
	p.idle++
	p.began[i] = time.Time{}
	p.metrics.busy.Set(float64(p.workers - p.idle))
	hungry := len(p.queue) == 0
	p.mu.Unlock()
	if hungry {
		p.onIdle()
	}
}
