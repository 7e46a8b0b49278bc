package batcher

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"streamer/internal/record"
	"streamer/internal/setting"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func owner(p int32) record.Owner { return record.Owner{Topic: "t", Partition: p, Epoch: 1} }

func block(p int32, first, next int64, outputs int) *record.Block {
	return &record.Block{
		Owner: owner(p),
		Span:  record.Span{First: first, Next: next, LeaderEpoch: int32(next)},
		Out:   make([]record.Output, outputs),
	}
}

func TestBoundsCutInTheirOwnName(t *testing.T) {
	t.Parallel()
	big := block(0, 0, 5, 1)
	big.Charge(100)
	for _, c := range []struct {
		name  string
		cfg   Config
		block *record.Block
		want  record.Reason
		full  bool
	}{
		{"records", Config{MaxRecords: 3, MaxBytes: 1000}, block(0, 0, 5, 3), record.ByRecords, true},
		{"bytes", Config{MaxRecords: 3, MaxBytes: 100}, big, record.ByBytes, true},
		{"neither", Config{MaxRecords: 3, MaxBytes: 1000}, block(0, 0, 5, 2), 0, false},
	} {
		a := New(c.cfg)
		if _, full := a.Full(); full {
			t.Errorf("%s: an empty accumulator is full", c.name)
		}
		a.Add(c.block, epoch)
		if why, full := a.Full(); full != c.full || why != c.want {
			t.Errorf("%s: got %v %v, want %v %v", c.name, why, full, c.want, c.full)
		}
	}
}

func TestTheIntervalRunsFromTheFirstBlock(t *testing.T) {
	t.Parallel()
	a := New(Config{Interval: setting.Duration(2 * time.Second), MaxRecords: 10, MaxBytes: 10})
	if _, due := a.Due(); due {
		t.Fatal("an empty accumulator is due")
	}
	a.Add(block(0, 0, 1, 1), epoch)
	a.Add(block(0, 1, 2, 1), epoch.Add(time.Second))
	if at, due := a.Due(); !due || !at.Equal(epoch.Add(2*time.Second)) {
		t.Fatalf("due %v %v, want two seconds after the first block", at, due)
	}
	a = New(Config{Interval: 0, MaxRecords: 10, MaxBytes: 10})
	a.Add(block(0, 0, 1, 1), epoch)
	if _, due := a.Due(); due {
		t.Fatal("with interval 0 the batch waits for the sink, not for a timer")
	}
}

func TestRemoveLeavesTheOthersDeliverable(t *testing.T) {
	t.Parallel()
	budget := record.NewBudget(0, func() {})
	account := budget.NewAccount()
	a := New(Config{MaxRecords: 100, MaxBytes: 1 << 20})
	for p := range int32(3) {
		b := block(p, 0, 4, 2)
		account.Open(b)
		a.Add(b, epoch)
	}
	batch := a.Cut(record.ByDrain, epoch)
	Remove(batch, func(o record.Owner) bool { return o.Partition == 1 })
	if len(batch.Blocks) != 2 || batch.Records != 4 || batch.Bytes != 2*record.BlockOverhead || len(batch.Spans) != 2 {
		t.Fatalf("left %d blocks, %d records, %d bytes, %v", len(batch.Blocks), batch.Records, batch.Bytes, batch.Spans)
	}
	if budget.Used() != 2*record.BlockOverhead {
		t.Fatalf("%d bytes in flight: the removed block kept its charge", budget.Used())
	}
}

// The model: cutting at any moments gives batches whose spans, per owner, join up to what was added, and whose blocks
// stand in (partition, offset) order.
func TestCutsPartitionTheStream(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := New(Config{MaxRecords: 20, MaxBytes: 1 << 20})
		added, cut := map[record.Owner]int64{}, map[record.Owner]int64{}
		var lastID uint64
		take := func(b *record.Batch) {
			if b == nil {
				return
			}
			if b.ID != lastID+1 {
				t.Fatalf("batch %d follows %d", b.ID, lastID)
			}
			lastID = b.ID
			for o, s := range b.Spans {
				if s.First != cut[o] || int32(s.Next) != s.LeaderEpoch {
					t.Fatalf("%v: span %v epoch %d follows %d", o, s, s.LeaderEpoch, cut[o])
				}
				cut[o] = s.Next
			}
			if !slices.IsSortedFunc(b.Blocks, func(x, y *record.Block) int {
				if x.Owner != y.Owner {
					return int(x.Owner.Partition - y.Owner.Partition)
				}
				return int(x.Span.First - y.Span.First)
			}) {
				t.Fatalf("blocks out of order")
			}
		}
		for range rapid.IntRange(0, 40).Draw(t, "blocks") {
			p := rapid.Int32Range(0, 3).Draw(t, "partition")
			n := rapid.Int64Range(1, 9).Draw(t, "length")
			a.Add(block(p, added[owner(p)], added[owner(p)]+n, int(n)), epoch)
			added[owner(p)] += n
			if why, full := a.Full(); full {
				take(a.Cut(why, epoch))
			}
		}
		take(a.Cut(record.ByDrain, epoch))
		for o, n := range added {
			if cut[o] != n {
				t.Fatalf("%v: added to %d, cut to %d", o, n, cut[o])
			}
		}
	})
}

func TestTruncateKeepsWhatComesBeforeTheRecord(t *testing.T) {
	t.Parallel()
	budget := record.NewBudget(0, func() {})
	account := budget.NewAccount()
	a := New(Config{MaxRecords: 100, MaxBytes: 1 << 20})
	for _, b := range []*record.Block{block(0, 0, 4, 4), block(0, 4, 8, 4), block(0, 8, 12, 4), block(1, 0, 4, 4)} {
		for i := range b.Out {
			b.Out[i].Offset = b.Span.First + int64(i)
		}
		account.Open(b)
		a.Add(b, epoch)
	}
	batch := a.Cut(record.ByDrain, epoch)
	cut := batch.Blocks[1]
	Truncate(batch, owner(0), 6)
	if batch.Records != 4+2+4 || batch.Spans[owner(0)] != (record.Span{First: 0, Next: 6, LeaderEpoch: -1}) {
		t.Fatalf("%d records, span %v; want 10, [0,6)", batch.Records, batch.Spans[owner(0)])
	}
	if len(batch.Blocks) != 3 || batch.Blocks[1].Span.Next != 6 || len(batch.Blocks[1].Out) != 2 {
		t.Fatalf("blocks %v", batch.Blocks)
	}
	if batch.Blocks[1] != cut {
		t.Fatal("the cut block is another one: a sink would take it for one that it has delivered nothing of")
	}
	Truncate(batch, owner(0), 9) // refused too, and gone already
	if batch.Records != 4+2+4 || batch.Spans[owner(0)].Next != 6 {
		t.Fatalf("%d records, span %v; a later record moved the cut", batch.Records, batch.Spans[owner(0)])
	}
	Truncate(batch, owner(1), 0)
	if _, held := batch.Spans[owner(1)]; held || batch.Records != 6 || len(batch.Blocks) != 2 {
		t.Fatalf("a record at the beginning left %d records, spans %v", batch.Records, batch.Spans)
	}
	Truncate(batch, owner(1), 2)
	if _, held := batch.Spans[owner(1)]; held {
		t.Fatalf("an owner that had left came back: spans %v", batch.Spans)
	}
	for _, b := range batch.Blocks {
		b.Release()
	}
	if budget.Used() != 0 {
		t.Fatalf("%d bytes in flight after all was released", budget.Used())
	}
}
