package partitionstream

import (
	"cmp"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"

	"streamer/internal/batcher"
	"streamer/internal/record"
	"streamer/internal/setting"
	"streamer/internal/union"
)

// machine takes the pure cores between poll and commit (streams, union, batcher) through any steps in any order, and
// knows of each offset where it must be. What the sequencer and the assignment loop do around them is done here as there.
type machine struct {
	budget  *record.Budget
	order   *union.Order
	open    *batcher.Accumulator
	workers []*record.Block // queued, or in a worker's hand
	queue   []*record.Batch
	writing *record.Batch
	parts   []*lane
	epoch   uint32
	now     time.Time
	live    []*record.Block // not released
}

// lane is one partition: its log, what has become of it, and its stream while somebody owns it.
type lane struct {
	id        int32
	log       []*kgo.Record // in offset order, with gaps; some are control records
	end       int64
	delivered map[int64]bool
	commit    int64

	s       *stream
	stopped bool  // behind a record that failed: nothing of the owner passes any more
	reach   int64 // where the owner's last block in a batch ends
	spanned int64 // where its last acknowledged span ended
	passed  int64 // its last delivered offset
}

func newMachine(t *rapid.T) *machine {
	m := &machine{budget: record.NewBudget(0, func() {}), order: union.NewOrder(), now: time.Unix(0, 0)}
	m.open = batcher.New(batcher.Config{
		Interval: setting.Duration(time.Second), MaxRecords: rapid.IntRange(1, 20).Draw(t, "batch"), MaxBytes: 1 << 20,
	})
	for id := range rapid.Int32Range(1, 3).Draw(t, "partitions") {
		m.parts = append(m.parts, &lane{id: id, delivered: make(map[int64]bool)})
	}
	return m
}

// one draws a partition of which cond holds; without any the step is no step.
func (m *machine) one(t *rapid.T, cond func(p *lane) bool) *lane {
	some := slices.DeleteFunc(slices.Clone(m.parts), func(p *lane) bool { return !cond(p) })
	if len(some) == 0 {
		t.Skip()
	}
	return rapid.SampledFrom(some).Draw(t, "partition")
}

func owned(p *lane) bool { return p.s != nil }

func flowing(p *lane) bool { return p.s != nil && !p.s.draining }

// produce appends to a log: now and then behind a gap, now and then a marker.
func (m *machine) produce(t *rapid.T) {
	p := m.one(t, func(*lane) bool { return true })
	for range rapid.IntRange(1, 8).Draw(t, "records") {
		p.end += rapid.Int64Range(0, 2).Draw(t, "gap")
		r := &kgo.Record{Topic: topic, Partition: p.id, Offset: p.end, LeaderEpoch: 1}
		if rapid.IntRange(0, 5).Draw(t, "marker") == 0 {
			r.Attrs = control()
		}
		p.log = append(p.log, r)
		p.end++
	}
}

func (m *machine) assign(t *rapid.T) {
	p := m.one(t, func(p *lane) bool { return p.s == nil })
	m.epoch++
	owner := record.Owner{Topic: topic, Partition: p.id, Epoch: m.epoch}
	cfg := Config{MaxRecords: rapid.IntRange(1, 5).Draw(t, "block"), MaxBytes: 1 << 20}
	p.s = newStream(owner, cfg, m.budget.NewAccount(), p.commit, noEnd)
	p.stopped, p.reach, p.spanned, p.passed = false, p.commit, p.commit, p.commit-1
	m.order.Begin(owner, p.commit)
}

func (m *machine) poll(t *rapid.T) {
	p := m.one(t, flowing)
	from, _ := slices.BinarySearchFunc(p.log, p.s.next, func(r *kgo.Record, at int64) int { return cmp.Compare(r.Offset, at) })
	n := min(len(p.log)-from, rapid.IntRange(0, 8).Draw(t, "polled"))
	had := p.s.open
	blocks := p.s.receive(p.log[from:from+n], m.now)
	m.workers = append(m.workers, blocks...)
	for _, b := range append(blocks, p.s.open) {
		if b != nil && b != had {
			m.live = append(m.live, b)
		}
	}
}

func (m *machine) cutBlock(t *rapid.T) {
	p := m.one(t, func(p *lane) bool { return p.s != nil && p.s.open != nil })
	m.workers = append(m.workers, p.s.cut(record.ByInterval))
}

// finish has a worker finish any block; one of its records may fail.
func (m *machine) finish(t *rapid.T) {
	if len(m.workers) == 0 {
		t.Skip()
	}
	i := rapid.IntRange(0, len(m.workers)-1).Draw(t, "block")
	b := m.workers[i]
	m.workers = slices.Delete(m.workers, i, i+1)
	if n := len(b.In); n > 0 && rapid.IntRange(0, 9).Draw(t, "fails") == 0 {
		at := rapid.IntRange(0, n-1).Draw(t, "at")
		b.Stop(at, &record.Failure{Offset: b.In[at].Offset, Err: errors.New("poison")})
		b.In = b.In[:at]
	}
	b.Through, b.In = b.In, nil
	m.put(t, b)
}

func (m *machine) put(t *rapid.T, b *record.Block) {
	ready, ok := m.order.Put(b)
	if p := m.parts[b.Owner.Partition]; ok != (p.s != nil && p.s.owner == b.Owner && !p.stopped && !p.s.draining) {
		t.Fatalf("%v of epoch %d passes: %v", b.Owner, b.Owner.Epoch, ok)
	}
	if !ok {
		m.release(b)
	}
	for _, b := range ready {
		if !b.Span.Empty() {
			m.open.Add(b, m.now)
			m.parts[b.Owner.Partition].reach = b.Span.Next
			if why, full := m.open.Full(); full {
				m.cut(why)
			}
		}
		if b.Stopped != nil {
			m.stop(b.Owner)
			if b.Span.Empty() {
				m.release(b)
			}
		}
	}
}

// stop ends an owner behind a record that failed.
func (m *machine) stop(o record.Owner) {
	m.parts[o.Partition].stopped = true
	m.drop(o)
	m.cut(record.ByDrain)
}

func (m *machine) drop(o record.Owner) {
	for _, b := range m.order.Fence(o) {
		m.release(b)
	}
}

func (m *machine) cut(why record.Reason) {
	if b := m.open.Cut(why, m.now); b != nil {
		m.queue = append(m.queue, b)
	}
}

func (m *machine) cutBatch(*rapid.T) { m.cut(record.ByInterval) }

func (m *machine) write(t *rapid.T) {
	if m.writing != nil || len(m.queue) == 0 {
		t.Skip()
	}
	m.writing, m.queue = m.queue[0], m.queue[1:]
}

// refuse has the sink refuse a record of the batch that it is given: its partition ends before it.
func (m *machine) refuse(t *rapid.T) {
	if m.writing == nil || len(m.writing.Blocks) == 0 || rapid.IntRange(0, 3).Draw(t, "seldom") != 0 {
		t.Skip()
	}
	b := rapid.SampledFrom(m.writing.Blocks).Draw(t, "block")
	if b.Len() == 0 {
		t.Skip()
	}
	at := b.Output(rapid.IntRange(0, b.Len()-1).Draw(t, "record")).Offset
	gone := slices.DeleteFunc(slices.Clone(m.writing.Blocks), func(other *record.Block) bool {
		return other.Owner != b.Owner || other.Span.First < at
	})
	batcher.Truncate(m.writing, b.Owner, at)
	m.forget(gone)
	m.stop(b.Owner)
	m.remove(b.Owner) // of the owner nothing is written any more: the service ends with this batch
}

// remove takes an owner's blocks out of the batches that nobody has begun to write.
func (m *machine) remove(o record.Owner) {
	var gone []*record.Block
	for _, b := range m.queue {
		for _, block := range b.Blocks {
			if block.Owner == o {
				gone = append(gone, block)
			}
		}
		batcher.Remove(b, func(other record.Owner) bool { return other == o })
	}
	m.forget(gone)
}

// acknowledge has the sink make the batch durable.
func (m *machine) acknowledge(t *rapid.T) {
	if m.writing == nil {
		t.Skip()
	}
	for o, r := range m.writing.Outputs {
		p := m.parts[o.Partition]
		p.delivered[r.Offset] = true
		if p.s == nil || p.s.owner != o {
			continue // of an owner that has ended while it was written: repeated, not lost
		}
		if r.Offset <= p.passed {
			t.Fatalf("%v: %d is delivered behind %d", o, r.Offset, p.passed)
		}
		p.passed = r.Offset
	}
	for o, span := range m.writing.Spans {
		p := m.parts[o.Partition]
		if p.s == nil || p.s.owner != o {
			continue
		}
		if span.First != p.spanned || span.Empty() {
			t.Fatalf("%v: span %v follows %d", o, span, p.spanned)
		}
		p.spanned = span.Next
		p.s.acknowledge(span)
	}
	for _, b := range m.writing.Blocks {
		m.release(b)
	}
	m.writing = nil
}

// commit sends what is acknowledged: everything before it must be delivered.
func (m *machine) commit(t *rapid.T) {
	p := m.one(t, func(p *lane) bool { return p.s != nil && p.s.acked != p.s.committed })
	m.commitOf(t, p)
}

func (m *machine) commitOf(t *rapid.T, p *lane) {
	if p.s.acked < p.commit {
		t.Fatalf("partition %d: the commit goes back from %d to %d", p.id, p.commit, p.s.acked)
	}
	for _, r := range p.log {
		if r.Offset < p.s.acked && !r.Attrs.IsControl() && !p.delivered[r.Offset] {
			t.Fatalf("partition %d: %d is committed, %d is not delivered", p.id, p.s.acked, r.Offset)
		}
	}
	p.commit, p.s.committed = p.s.acked, p.s.acked
}

// revoke begins to give up a partition: what is in no batch is dropped.
func (m *machine) revoke(t *rapid.T) {
	p := m.one(t, flowing)
	p.s.draining = true
	m.dropOpen(p)
	inHand := rapid.IntRange(0, 2).Draw(t, "in hand") // workers have begun the first of them
	kept := m.workers[:min(inHand, len(m.workers))]
	for _, b := range m.workers[len(kept):] {
		if b.Owner == p.s.owner {
			m.release(b)
		} else {
			kept = append(kept, b)
		}
	}
	m.workers = kept
	m.drop(p.s.owner)
	if m.open.Holds(p.s.owner) {
		m.cut(record.ByDrain)
	}
}

func (m *machine) dropOpen(p *lane) {
	if b := p.s.open; b != nil {
		p.s.drop()
		m.forget([]*record.Block{b})
	}
}

// drained ends a revoke whose goal is reached.
func (m *machine) drained(t *rapid.T) {
	p := m.one(t, func(p *lane) bool {
		return p.s != nil && p.s.draining && !p.stopped && p.s.acked >= p.reach && p.s.committed == p.s.acked
	})
	if p.commit != p.reach {
		t.Fatalf("partition %d: drained with a commit of %d, %d is in batches", p.id, p.commit, p.reach)
	}
	m.fence(p)
}

// lose ends an assignment at once: a loss, a drain's deadline, or a stop behind a record that failed.
func (m *machine) lose(t *rapid.T) { m.fence(m.one(t, owned)) }

func (m *machine) fence(p *lane) {
	m.dropOpen(p)
	m.drop(p.s.owner)
	if m.open.Holds(p.s.owner) {
		m.cut(record.ByDrain)
	}
	m.remove(p.s.owner)
	p.s = nil
}

func (m *machine) release(b *record.Block) {
	b.Release()
	m.forget([]*record.Block{b})
}

func (m *machine) forget(blocks []*record.Block) {
	m.live = slices.DeleteFunc(m.live, func(b *record.Block) bool { return slices.Contains(blocks, b) })
}

// check holds after every step: each byte is counted for a block that lives, and between what an owner has acknowledged
// and what it has received its blocks join up, so that each record is in exactly one of them.
func (m *machine) check(t *rapid.T) {
	var bytes int64
	blocks := make(map[record.Owner][]*record.Block)
	for _, b := range m.live {
		bytes += b.Bytes()
		blocks[b.Owner] = append(blocks[b.Owner], b)
	}
	if used := m.budget.Used(); used != bytes {
		t.Fatalf("%d bytes are counted, the blocks hold %d", used, bytes)
	}
	for _, p := range m.parts {
		if !owned(p) || p.stopped || p.s.draining {
			continue
		}
		mine, at := blocks[p.s.owner], p.s.acked
		slices.SortFunc(mine, func(x, y *record.Block) int { return cmp.Compare(x.Span.First, y.Span.First) })
		for _, b := range mine {
			// A block whose worker found a record that stops the owner ends there; what follows it waits in vain.
			if b.Span.First != at && b.Stopped == nil && !stoppedBefore(mine, b) {
				t.Fatalf("%v: block %v follows %d", b.Owner, b.Span, at)
			}
			at = b.Span.Next
		}
		if at != p.s.next && !stoppedBefore(mine, nil) {
			t.Fatalf("%v: blocks end at %d, received to %d", p.s.owner, at, p.s.next)
		}
	}
}

// stoppedBefore reports whether a block before b, or any, ends at a record that failed.
func stoppedBefore(blocks []*record.Block, b *record.Block) bool {
	for _, other := range blocks {
		if other == b {
			return false
		}
		if other.Stopped != nil {
			return true
		}
	}
	return false
}

// Streams, union, batcher and commits in any order: blocks finish in any order, records fail, sinks refuse, partitions are
// revoked, lost and assigned again, and late blocks of earlier assignments come in. Each record is in exactly one batch or
// fenced, order is kept per owner, spans join up, and a commit is never ahead of what is delivered without a hole.
func TestPollToCommitAgainstModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := newMachine(t)
		t.Repeat(map[string]func(*rapid.T){
			"produce": m.produce, "assign": m.assign, "poll": m.poll, "cut block": m.cutBlock, "finish": m.finish,
			"cut batch": m.cutBatch, "write": m.write, "refuse": m.refuse, "acknowledge": m.acknowledge, "commit": m.commit,
			"revoke": m.revoke, "drained": m.drained, "lose": m.lose,
			"": m.check,
		})
		m.settle(t)
	})
}

// settle lets everything that is under way come to its end: nothing is counted then, and whoever owns the partitions next
// delivers the rest.
func (m *machine) settle(t *rapid.T) {
	for _, p := range m.parts {
		if owned(p) {
			m.fence(p)
		}
	}
	for _, b := range m.workers {
		m.put(t, b)
	}
	m.cut(record.ByDrain)
	for _, m.writing = range append([]*record.Batch{m.writing}, m.queue...) {
		if m.writing != nil {
			m.acknowledge(t)
		}
	}
	if used := m.budget.Used(); used != 0 || len(m.live) != 0 {
		t.Fatalf("%d bytes of %d blocks are counted when nothing is in flight", used, len(m.live))
	}
}
