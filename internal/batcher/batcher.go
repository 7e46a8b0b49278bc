// Package batcher closes the union's stream into batches: consistent cuts over all partitions.
//
// [Accumulator] is pure: no goroutine and no clock; the caller says what time it is. One goroutine uses it.
package batcher

import (
	"cmp"
	"slices"
	"time"

	"streamer/internal/record"
)

// Accumulator holds the open batch.
type Accumulator struct {
	cfg    Config
	nextID uint64
	open   *record.Batch
	// reduced is the block of each owner that holds the partial aggregate of all its blocks in the open batch.
	reduced map[record.Owner]*record.Block
}

// New makes an accumulator whose first batch has id 1.
func New(cfg Config) *Accumulator {
	return &Accumulator{cfg: cfg, nextID: 1}
}

// Add puts a block into the open batch, opening one if there is none. An owner's blocks must come in order.
func (a *Accumulator) Add(b *record.Block, now time.Time) {
	if a.open == nil {
		a.open = &record.Batch{ID: a.nextID, Spans: make(map[record.Owner]record.Span), Opened: now}
		a.nextID++
	}
	a.open.Blocks = append(a.open.Blocks, b)
	a.open.Records += b.Deliverable()
	a.open.Bytes += b.Bytes()
	if b.Partial != nil {
		a.reduce(b)
	}
	span, held := a.open.Spans[b.Owner]
	if !held {
		span = b.Span
	}
	span.Next, span.LeaderEpoch = b.Span.Next, b.Span.LeaderEpoch
	a.open.Spans[b.Owner] = span
}

// reduce merges the block's partial aggregate into its owner's. They are kept apart by owner, so that a partition that is
// revoked can still leave the batch. Groups count as records: they are what the batch may come to.
func (a *Accumulator) reduce(b *record.Block) {
	first := a.reduced[b.Owner]
	if first == nil {
		if a.reduced == nil {
			a.reduced = make(map[record.Owner]*record.Block)
		}
		a.reduced[b.Owner] = b
		a.open.Records += b.Partial.Len()
		return
	}
	groups, size := first.Partial.Len(), first.Bytes()+b.Bytes()
	first.Absorb(b)
	a.open.Records += first.Partial.Len() - groups
	a.open.Bytes += first.Bytes() + b.Bytes() - size
}

// Empty reports whether there is no open batch.
func (a *Accumulator) Empty() bool { return a.open == nil }

// Holds reports whether the open batch has a block of the owner.
func (a *Accumulator) Holds(o record.Owner) bool {
	if a.open == nil {
		return false
	}
	_, held := a.open.Spans[o]
	return held
}

// Full reports whether a size bound is reached, and which.
func (a *Accumulator) Full() (record.Reason, bool) {
	switch {
	case a.open == nil:
		return 0, false
	case a.open.Records >= a.cfg.MaxRecords:
		return record.ByRecords, true
	case a.open.Bytes >= int64(a.cfg.MaxBytes):
		return record.ByBytes, true
	}
	return 0, false
}

// Due returns when the interval closes the open batch. It reports false when there is none, or when the interval is 0
// and the batch waits for the sink to be free.
func (a *Accumulator) Due() (time.Time, bool) {
	if a.open == nil || a.cfg.Interval == 0 {
		return time.Time{}, false
	}
	return a.open.Opened.Add(time.Duration(a.cfg.Interval)), true
}

// Cut closes the open batch and returns it, its blocks ordered by (topic, partition) and, within a partition, by offset.
// It returns nil when there is no open batch.
func (a *Accumulator) Cut(why record.Reason, now time.Time) *record.Batch {
	b := a.open
	if b == nil {
		return nil
	}
	a.open, a.reduced = nil, nil
	b.Cut, b.Closed = why, now
	slices.SortStableFunc(b.Blocks, func(x, y *record.Block) int {
		return cmp.Or(
			cmp.Compare(x.Owner.Topic, y.Owner.Topic),
			cmp.Compare(x.Owner.Partition, y.Owner.Partition),
			cmp.Compare(x.Owner.Epoch, y.Owner.Epoch),
		)
	})
	return b
}

// Remove takes the owners' blocks out of a closed batch that nobody has begun to write, and releases them. The other
// partitions' spans stay deliverable: a sink that hangs must not make one revoked partition hold back the rest.
func Remove(b *record.Batch, fenced func(record.Owner) bool) {
	b.Blocks = slices.DeleteFunc(b.Blocks, func(block *record.Block) bool {
		if !fenced(block.Owner) {
			return false
		}
		b.Records -= block.Deliverable()
		if block.Partial != nil {
			b.Records -= block.Partial.Len()
		}
		b.Bytes -= block.Bytes()
		block.Release()
		return true
	})
	for owner := range b.Spans {
		if fenced(owner) {
			delete(b.Spans, owner)
		}
	}
}

// Truncate takes the record of owner at offset, and everything of the owner behind it, out of a batch, so that what comes
// before it, and the other partitions, can be delivered without it. What ends before offset already stays as it is: a
// second refused record of the owner must not move the span forward again, over the first.
func Truncate(b *record.Batch, owner record.Owner, offset int64) {
	span, held := b.Spans[owner]
	if !held || span.Next <= offset {
		return
	}
	b.Blocks = slices.DeleteFunc(b.Blocks, func(block *record.Block) bool {
		if block.Owner != owner || block.Span.Next <= offset {
			return false
		}
		before := block.Deliverable()
		if block.Span.First < offset {
			block.End(offset)
			b.Records -= before - block.Deliverable()
			return false
		}
		b.Records -= before
		b.Bytes -= block.Bytes()
		block.Release()
		return true
	})
	span.Next, span.LeaderEpoch = offset, -1
	if b.Spans[owner] = span; span.Empty() {
		delete(b.Spans, owner)
	}
}
