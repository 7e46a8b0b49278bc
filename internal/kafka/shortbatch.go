package kafka

import (
	"sync"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"
)

// shortBatches counts batches of which kgo took fewer records than they say they have: it stops at the first that it cannot
// read, and goes on with the batch behind as if there were no more. Nothing tells of it but this: kgo asks a pool for room
// for the records of a batch, and then tells a hook how many it took, both in one goroutine per broker. An offset that is
// missing in what is polled is no sign, compaction and aborted transactions leave such gaps too.
type shortBatches struct {
	count atomic.Uint64
	// whole is called for each batch that was read whole, which the client then moves past.
	whole func()

	mu    sync.Mutex
	asked map[int]int // how many batches of so many records are being read now
}

var (
	_ kgo.PoolRecords        = (*shortBatches)(nil)
	_ kgo.HookFetchBatchRead = (*shortBatches)(nil)
)

// GetRecords implements [kgo.PoolRecords]. It has no room to give: what is nil kgo makes itself.
func (b *shortBatches) GetRecords(n int) []kgo.Record {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.asked == nil {
		b.asked = make(map[int]int)
	}
	b.asked[n]++
	return nil
}

// PutRecords implements [kgo.PoolRecords].
func (*shortBatches) PutRecords([]kgo.Record) {}

// OnFetchBatchRead implements [kgo.HookFetchBatchRead]. A batch that kgo asked no room for (it was refused before, or is in
// a format of old) may be taken for a short one while one of another broker is being read; that costs a look.
func (b *shortBatches) OnFetchBatchRead(_ kgo.BrokerMetadata, _ string, _ int32, batch kgo.FetchBatchMetrics) {
	b.mu.Lock()
	defer b.mu.Unlock()
	took := batch.NumRecords
	if b.asked[took] > 0 {
		b.forget(took)
		b.whole()
		return
	}
	// The next larger one: with any other, that of another broker, a number could stay behind for which a later short batch
	// would be taken for a whole one.
	short := -1
	for n := range b.asked {
		if n > took && (short < 0 || n < short) {
			short = n
		}
	}
	if short >= 0 {
		b.forget(short)
		b.count.Add(1)
	}
}

func (b *shortBatches) forget(n int) {
	if b.asked[n]--; b.asked[n] == 0 {
		delete(b.asked, n)
	}
}
