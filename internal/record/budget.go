package record

import (
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Overheads that the byte budget adds to payload, measured on kgo v1.22: a kgo.Record is 160 B plus its slice entry and
// context; a block with its slices and its place in queues and batches is below 512 B even when it carries no record.
const (
	RecordOverhead = 200
	BlockOverhead  = 512
)

// Size is what an input record is charged with: key, value, headers and RecordOverhead.
func Size(r *kgo.Record) int64 {
	return RecordOverhead + payload(r.Key, r.Value, r.Headers)
}

// Budget counts the bytes between poll and acknowledgement over all partitions. Any goroutine may charge and release;
// only the assignment loop acts on the level. It is exactly 0 when nothing is in flight.
type Budget struct {
	used atomic.Int64
	// lowWater is the level at or below which notify is called, once per arming.
	lowWater int64
	armed    atomic.Bool
	notify   func()
}

// NewBudget makes a budget that calls notify, from the releasing goroutine, when it is armed and the level falls to
// lowWater bytes or below. notify must not block.
func NewBudget(lowWater int64, notify func()) *Budget {
	return &Budget{lowWater: lowWater, notify: notify}
}

// Used returns the bytes in flight.
func (b *Budget) Used() int64 { return b.used.Load() }

// Arm asks for one notification at the next fall to low water. It reports whether the level is there already; then no
// notification comes. Without the second look a release between look and arming would be missed and a paused partition
// would stay paused for ever.
func (b *Budget) Arm() (low bool) {
	b.armed.Store(true)
	if b.used.Load() > b.lowWater {
		return false
	}
	return b.armed.Swap(false)
}

func (b *Budget) add(n int64) {
	if b.used.Add(n) <= b.lowWater && n < 0 && b.armed.Load() && b.armed.Swap(false) {
		b.notify()
	}
}

// Account is one owner's share of the budget.
type Account struct {
	budget *Budget
	used   atomic.Int64
}

// NewAccount opens an account with nothing in flight.
func (b *Budget) NewAccount() *Account { return &Account{budget: b} }

// Used returns the account's bytes in flight.
func (a *Account) Used() int64 { return a.used.Load() }

func (a *Account) add(n int64) {
	a.used.Add(n)
	a.budget.add(n)
}

// Open charges the account for a new block.
func (a *Account) Open(b *Block) {
	b.account = a
	b.Charge(BlockOverhead)
}

// Charge adds n bytes, which may be negative, to what the block holds.
func (b *Block) Charge(n int64) {
	b.bytes += n
	if b.account != nil {
		b.account.add(n)
	}
}

// Bytes is what the block is charged with at the moment.
func (b *Block) Bytes() int64 { return b.bytes }

// Release gives back all that the block is charged with and lets go of its records. A second call does nothing, so that
// fencing and acknowledging the same block cannot count it twice.
func (b *Block) Release() {
	n := b.bytes
	b.bytes = 0
	b.In, b.Through, b.Out, b.Dead, b.Partial = nil, nil, nil, nil, nil
	if b.account != nil {
		b.account.add(-n)
	}
}
