// Package union merges the partitions' processed blocks into one stream. Within an owner it restores input order: blocks
// are processed by any worker and come back in any order, and each waits here until all before it have come. Between
// owners nothing waits, so a slow block holds back only its own partition.
//
// [Order] is pure: no goroutine, no clock, no lock. One goroutine uses it.
package union

import (
	"fmt"

	"streamer/internal/record"
)

// Order puts blocks back in order per owner. It knows only owners that were begun; a block of any other is late work of
// an assignment that has ended.
type Order struct {
	lanes   map[record.Owner]*lane
	waiting int
}

// lane is one owner's place in its stream of offsets.
type lane struct {
	next    int64                   // the First of the block that may pass
	waiting map[int64]*record.Block // by First
}

// NewOrder makes an order without owners.
func NewOrder() *Order { return &Order{lanes: make(map[record.Owner]*lane)} }

// Begin admits an owner whose first block starts at first. It must be called before any of the owner's blocks is put.
func (o *Order) Begin(owner record.Owner, first int64) {
	o.lanes[owner] = &lane{next: first, waiting: make(map[int64]*record.Block)}
}

// Put takes a processed block and returns the blocks that may pass now, in order: none if one before it is missing. It
// reports false, and keeps nothing, for a block whose owner is not begun or was fenced; the caller releases it.
//
// Spans of an owner's blocks must be contiguous; one that starts before the lane's place panics, because passing it
// would deliver offsets twice and commit backwards.
func (o *Order) Put(b *record.Block) (ready []*record.Block, ok bool) {
	l := o.lanes[b.Owner]
	if l == nil {
		return nil, false
	}
	if b.Span.First < l.next {
		panic(fmt.Sprintf("union: block %v %v starts before %d", b.Owner, b.Span, l.next))
	}
	// A stopped block's span ends at the failing record; the block after it no longer fits, and must not pass.
	l.waiting[b.Span.First] = b
	o.waiting++
	for {
		next, here := l.waiting[l.next]
		if !here {
			return ready, true
		}
		delete(l.waiting, l.next)
		o.waiting--
		ready = append(ready, next)
		l.next = next.Span.Next
		if next.Span.Empty() {
			return ready, true // nothing moved on, so the same key would be looked up for ever
		}
	}
}

// Fence ends an owner and returns the blocks that were waiting for one before them; the caller releases them. Later blocks
// of the owner are refused by Put. Fencing an owner that is not begun does nothing.
func (o *Order) Fence(owner record.Owner) []*record.Block {
	l := o.lanes[owner]
	if l == nil {
		return nil
	}
	delete(o.lanes, owner)
	dropped := make([]*record.Block, 0, len(l.waiting))
	for _, b := range l.waiting {
		dropped = append(dropped, b)
	}
	o.waiting -= len(dropped)
	return dropped
}

// Waiting returns how many blocks wait for one before them.
func (o *Order) Waiting() int { return o.waiting }
