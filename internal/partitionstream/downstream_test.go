package partitionstream

import (
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"streamer/internal/batcher"
	"streamer/internal/record"
	"streamer/internal/union"
)

func newTestMetrics() *Metrics { return NewMetrics(prometheus.NewRegistry()) }

// fakePool passes blocks on at once, or keeps them until the test passes them.
type fakePool struct {
	mu    sync.Mutex
	held  bool
	free  int
	queue []*record.Block
	pass  func(*record.Block)
}

func (p *fakePool) Put(blocks ...*record.Block) {
	p.mu.Lock()
	held := p.held
	if held {
		p.queue = append(p.queue, blocks...)
	}
	p.mu.Unlock()
	if !held {
		for _, b := range blocks {
			p.pass(b)
		}
	}
}

func (p *fakePool) Free() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.free
}

func (p *fakePool) Remove(fenced func(record.Owner) bool) []*record.Block {
	p.mu.Lock()
	defer p.mu.Unlock()
	var kept, removed []*record.Block
	for _, b := range p.queue {
		if fenced(b.Owner) {
			removed = append(removed, b)
		} else {
			kept = append(kept, b)
		}
	}
	p.queue = kept
	return removed
}

// take gives the test the queued blocks, as a worker has them in its hand.
func (p *fakePool) take() []*record.Block {
	p.mu.Lock()
	defer p.mu.Unlock()
	queue := p.queue
	p.queue = nil
	return queue
}

// fakeDownstream is the union and the batcher under a lock; batches are cut and delivered when the test says so.
type fakeDownstream struct {
	mu        sync.Mutex
	order     *union.Order
	open      *batcher.Accumulator
	queue     []*record.Batch
	delivered []*record.Batch
	reach     map[record.Owner]int64
	fenced    func(*record.Block)
	values    map[int32][]string // delivered values per partition
	begun     map[record.Owner]int64
}

func newFakeDownstream(fenced func(*record.Block)) *fakeDownstream {
	return &fakeDownstream{
		order: union.NewOrder(), open: batcher.New(batcher.DefaultConfig()), reach: make(map[record.Owner]int64),
		fenced: fenced, values: make(map[int32][]string), begun: make(map[record.Owner]int64),
	}
}

func (d *fakeDownstream) put(b *record.Block) {
	d.mu.Lock()
	defer d.mu.Unlock()
	ready, ok := d.order.Put(b)
	if !ok {
		d.fenced(b)
	}
	for _, b := range ready {
		d.open.Add(b, time.Now())
		d.reach[b.Owner] = b.Span.Next
	}
}

func (d *fakeDownstream) Begin(o record.Owner, first int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.begun[o] = first
	d.order.Begin(o, first)
}

func (d *fakeDownstream) cut() {
	if b := d.open.Cut(record.ByInterval, time.Now()); b != nil {
		d.queue = append(d.queue, b)
	}
}

func (d *fakeDownstream) drop(owners []record.Owner) {
	for _, o := range owners {
		for _, b := range d.order.Fence(o) {
			d.fenced(b)
		}
	}
}

func (d *fakeDownstream) Drain(owners []record.Owner) map[record.Owner]int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop(owners)
	d.cut()
	reach := make(map[record.Owner]int64)
	for _, o := range owners {
		if at, ok := d.reach[o]; ok {
			reach[o] = at
		}
	}
	return reach
}

func (d *fakeDownstream) Fence(owners []record.Owner) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop(owners)
	d.cut()
	gone := make(map[record.Owner]bool)
	for _, o := range owners {
		gone[o] = true
		delete(d.reach, o)
	}
	for _, b := range d.queue {
		batcher.Remove(b, func(o record.Owner) bool { return gone[o] })
	}
}

// deliver hands everything that is in a batch to the sink.
func (d *fakeDownstream) deliver() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cut()
	for _, b := range d.queue {
		for _, block := range b.Blocks {
			for _, r := range block.In {
				d.values[r.Partition] = append(d.values[r.Partition], string(r.Value))
			}
		}
	}
	d.delivered = append(d.delivered, d.queue...)
	d.queue = nil
}

// takeDelivered returns what the sink has and nobody has acknowledged yet.
func (d *fakeDownstream) takeDelivered() []*record.Batch {
	d.mu.Lock()
	defer d.mu.Unlock()
	delivered := d.delivered
	d.delivered = nil
	return delivered
}

// got is how many records of partition 0 were delivered; it fails when they are not "0", "1", ….
func (d *fakeDownstream) got() (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, v := range d.values[0] {
		if v != strconv.Itoa(i) {
			return 0, fmt.Errorf("value %s is number %d", v, i)
		}
	}
	return len(d.values[0]), nil
}

// inBatch is how many offsets of a partition have reached a batch.
func (d *fakeDownstream) inBatch(partition int32) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	for o, at := range d.reach {
		if o.Partition == partition {
			return at
		}
	}
	return 0
}
