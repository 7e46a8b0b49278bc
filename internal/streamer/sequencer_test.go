package streamer

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"streamer/internal/batcher"
	"streamer/internal/record"
	"streamer/internal/setting"
)

// bench is a sequencer whose blocks come from the test and whose writer is the test.
type bench struct {
	*sequencer

	t       *testing.T
	in      chan *record.Block
	want    chan struct{}
	give    chan *record.Batch
	dropped []*record.Block
	failed  []record.Failure
	budget  *record.Budget
	account *record.Account
}

var wide = batcher.Config{Interval: setting.Duration(time.Second), MaxRecords: 1000, MaxBytes: 1 << 20}

func onBench(t *testing.T, cfg batcher.Config, test func(t *testing.T, b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{
			sequencer: newSequencer(cfg, batcher.NewMetrics(prometheus.NewRegistry())), t: t,
			in: make(chan *record.Block), want: make(chan struct{}), give: make(chan *record.Batch),
			budget: record.NewBudget(0, func() {}),
		}
		b.account = b.budget.NewAccount()
		b.blocks, b.wants, b.gives = b.in, b.want, b.give
		b.failures = failureLog{log: slog.New(slog.DiscardHandler)}
		b.fenced = func(block *record.Block) {
			b.dropped = append(b.dropped, block)
			block.Release()
		}
		b.stopped = func(_ record.Owner, f *record.Failure) { b.failed = append(b.failed, *f) }
		ctx, cancel := context.WithCancel(t.Context())
		t.Cleanup(func() {
			cancel()
			<-b.ended
		})
		go func() { _ = b.Run(ctx) }()
		test(t, b)
	})
}

func own(p int32, epoch uint32) record.Owner {
	return record.Owner{Topic: topic, Partition: p, Epoch: epoch}
}

// put hands over a processed block with one output per offset.
func (b *bench) put(o record.Owner, first, next int64) {
	block := &record.Block{Owner: o, Span: record.Span{First: first, Next: next}, Out: make([]record.Output, next-first)}
	b.account.Open(block)
	b.in <- block
	synctest.Wait()
}

// take asks for a batch; nil when there is none now.
func (b *bench) take() *record.Batch {
	synctest.Wait()
	select {
	case b.want <- struct{}{}:
		return <-b.give
	default:
		return nil
	}
}

func (b *bench) mustTake() *record.Batch {
	b.t.Helper()
	batch := b.take()
	if batch == nil {
		b.t.Fatal("no batch is ready")
	}
	return batch
}

func TestABatchIsCutByItsIntervalAndNotBefore(t *testing.T) {
	t.Parallel()
	onBench(t, wide, func(t *testing.T, b *bench) {
		b.Begin(own(0, 1), 0)
		b.put(own(0, 1), 0, 5)
		time.Sleep(999 * time.Millisecond) // virtual
		if b.take() != nil {
			t.Fatal("cut before the interval was over")
		}
		time.Sleep(time.Millisecond)
		if batch := b.mustTake(); batch.Cut != record.ByInterval || batch.Records != 5 {
			t.Fatalf("%v with %d records", batch.Cut, batch.Records)
		}
	})
}

// With interval 0 the batch grows while the writer is busy and goes as soon as it is free.
func TestWithoutAnIntervalTheWriterCuts(t *testing.T) {
	t.Parallel()
	onBench(t, batcher.Config{MaxRecords: 1000, MaxBytes: 1 << 20}, func(t *testing.T, b *bench) {
		if b.take() != nil {
			t.Fatal("a batch of nothing")
		}
		b.Begin(own(0, 1), 0)
		b.put(own(0, 1), 0, 5)
		b.put(own(0, 1), 5, 9)
		if batch := b.mustTake(); batch.Cut != record.ByIdle || batch.Records != 9 {
			t.Fatalf("%v with %d records, want all that came meanwhile", batch.Cut, batch.Records)
		}
	})
}

func TestADrainCutsAndSaysHowFarItReaches(t *testing.T) {
	t.Parallel()
	onBench(t, wide, func(t *testing.T, b *bench) {
		b.Begin(own(0, 1), 0)
		b.Begin(own(1, 1), 0)
		b.put(own(0, 1), 0, 5)
		b.put(own(0, 1), 7, 9) // its predecessor is with a worker
		b.put(own(1, 1), 0, 3)
		if to := b.Drain([]record.Owner{own(0, 1)}); len(to) != 1 || to[own(0, 1)] != 5 {
			t.Fatalf("reaches %v, want 5", to)
		}
		if len(b.dropped) != 1 || b.dropped[0].Span.First != 7 {
			t.Fatalf("dropped %d blocks, want the one that waited", len(b.dropped))
		}
		b.put(own(0, 1), 5, 7) // comes late: nobody waits for it
		if len(b.dropped) != 2 {
			t.Fatal("took a block of a drained owner")
		}
		batch := b.mustTake()
		if batch.Cut != record.ByDrain || batch.Spans[own(0, 1)].Next != 5 || batch.Spans[own(1, 1)].Next != 3 {
			t.Fatalf("%v with %v", batch.Cut, batch.Spans)
		}
		b.put(own(1, 1), 3, 4)
		if to := b.Drain([]record.Owner{own(2, 1)}); len(to) != 0 || b.take() != nil {
			t.Fatalf("draining an owner that is in no batch reached %v, or cut a batch", to)
		}
	})
}

// A fenced partition leaves every batch that nobody has begun; the others' spans there stay deliverable.
func TestAFenceTakesThePartitionOutOfWaitingBatches(t *testing.T) {
	t.Parallel()
	onBench(t, wide, func(t *testing.T, b *bench) {
		b.Begin(own(0, 1), 0)
		b.Begin(own(1, 1), 0)
		b.put(own(0, 1), 0, 5)
		b.put(own(1, 1), 0, 3)
		b.Drain([]record.Owner{own(0, 1)}) // cuts
		writing := b.mustTake()
		b.put(own(1, 1), 3, 4)
		b.Begin(own(2, 1), 0)
		b.put(own(2, 1), 0, 2)
		b.Drain([]record.Owner{own(1, 1)}) // cuts; waits for the writer
		b.put(own(2, 1), 2, 6)             // open
		b.Fence([]record.Owner{own(0, 1), own(2, 1)})
		if len(writing.Blocks) != 2 {
			t.Fatal("a batch that is being written was changed")
		}
		next := b.mustTake()
		if _, held := next.Spans[own(2, 1)]; held || len(next.Blocks) != 1 || next.Records != 1 {
			t.Fatalf("%d blocks, %d records, %v; want partition 1 alone", len(next.Blocks), next.Records, next.Spans)
		}
		if extra := b.take(); extra != nil {
			t.Fatalf("a batch of %d blocks is left over", len(extra.Blocks))
		}
		for _, batch := range []*record.Batch{writing, next} {
			for _, block := range batch.Blocks {
				block.Release()
			}
		}
		if used := b.budget.Used(); used != 0 {
			t.Fatalf("%d bytes are counted, want none", used)
		}
		b.Begin(own(2, 2), 0)
		if b.put(own(2, 1), 6, 7); b.take() != nil || len(b.dropped) != 1 {
			t.Fatal("a late block of the fenced assignment passed")
		}
	})
}

func TestNothingPassesARecordThatStopsItsPartition(t *testing.T) {
	t.Parallel()
	onBench(t, wide, func(t *testing.T, b *bench) {
		poison := errors.New("poison")
		b.Begin(own(0, 1), 0)
		b.Begin(own(1, 1), 0)
		b.put(own(0, 1), 10, 20) // behind the one that stops
		stops := &record.Block{
			Owner: own(0, 1), Span: record.Span{First: 0, Next: 4}, Out: make([]record.Output, 4),
			Stopped: &record.Failure{Offset: 4, Err: poison},
		}
		b.account.Open(stops)
		b.in <- stops
		if batch := b.mustTake(); batch.Spans[own(0, 1)].Next != 4 || batch.Cut != record.ByDrain {
			t.Fatalf("%v by %v, want what came before the record, at once", batch.Spans, batch.Cut)
		}
		if len(b.failed) != 1 || b.failed[0].Offset != 4 || len(b.dropped) != 1 {
			t.Fatalf("failed %v, dropped %d; want the record, and the block behind it", b.failed, len(b.dropped))
		}
		b.put(own(0, 1), 20, 30)
		if len(b.dropped) != 2 {
			t.Fatal("a later block passed")
		}
		// The first record of a block: there is nothing to deliver, and nothing may stay counted.
		first := &record.Block{Owner: own(1, 1), Stopped: &record.Failure{Offset: 0, Err: poison}}
		b.account.Open(first)
		b.in <- first
		if b.take() != nil || len(b.failed) != 2 || !slices.Contains(b.dropped, first) {
			t.Fatalf("an empty batch, or no failure (%d), or the block was kept", len(b.failed))
		}
		stops.Release()
		if used := b.budget.Used(); used != 0 {
			t.Fatalf("%d bytes are counted, want none", used)
		}
	})
}

func TestAskingAfterTheEndAnswersNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSequencer(wide, batcher.NewMetrics(prometheus.NewRegistry()))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Run(ctx); err != nil {
			t.Fatal(err)
		}
		s.Begin(own(0, 1), 0)
		s.Fence([]record.Owner{own(0, 1)})
		if to := s.Drain([]record.Owner{own(0, 1)}); len(to) != 0 {
			t.Fatalf("reached %v", to)
		}
	})
}
