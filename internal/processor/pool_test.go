package processor

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"streamer/internal/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// gate is a worker that holds each block until it is let go.
type gate struct{ pass chan struct{} }

func (g gate) Process(*record.Block) { <-g.pass }

func start(t *testing.T, workers int, onIdle func()) (*Pool, chan struct{}, chan *record.Block) {
	t.Helper()
	pass, out := make(chan struct{}), make(chan *record.Block, 16)
	p := New(workers, func(context.Context) Worker { return gate{pass} }, out, NewMetrics(prometheus.NewRegistry()), onIdle)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- p.Run(ctx) }()
	synctest.Wait()
	t.Cleanup(func() {
		cancel()
		close(pass)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return p, pass, out
}

func blocks(partition int32, n int) []*record.Block {
	made := make([]*record.Block, n)
	for i := range made {
		made[i] = &record.Block{Owner: record.Owner{Topic: "t", Partition: partition, Epoch: 1}}
	}
	return made
}

// A hot partition must be able to use every worker: nothing ties a partition to one.
func TestBlocksOfOnePartitionUseEveryWorker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, pass, out := start(t, 3, func() {})
		p.Put(blocks(7, 4)...)
		synctest.Wait()
		if busy, queued := p.Load(); busy != 3 || queued != 1 || p.Free() != 0 {
			t.Fatalf("busy %d, queued %d, free %d; want 3, 1, 0", busy, queued, p.Free())
		}
		for range 4 {
			pass <- struct{}{}
		}
		synctest.Wait()
		if busy, queued := p.Load(); busy != 0 || queued != 0 || len(out) != 4 {
			t.Fatalf("busy %d, queued %d, out %d; want 0, 0, 4", busy, queued, len(out))
		}
	})
}

func TestAnIdleWorkerSaysSo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		idle := make(chan struct{}, 8)
		p, pass, _ := start(t, 1, func() { idle <- struct{}{} })
		p.Put(blocks(0, 2)...)
		pass <- struct{}{}
		synctest.Wait()
		if len(idle) != 0 {
			t.Fatal("a worker with a queued block called itself idle")
		}
		pass <- struct{}{}
		synctest.Wait()
		if len(idle) != 1 || p.Free() != 1 {
			t.Fatalf("%d idle calls, %d free; want 1, 1", len(idle), p.Free())
		}
	})
}

func TestRemoveTakesOnlyTheFencedAndOnlyTheQueued(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, _, _ := start(t, 1, func() {})
		p.Put(blocks(1, 2)...)
		p.Put(blocks(2, 2)...)
		synctest.Wait() // the first block of partition 1 is in a worker's hand
		removed := p.Remove(func(o record.Owner) bool { return o.Partition == 1 })
		if _, queued := p.Load(); len(removed) != 1 || queued != 2 {
			t.Fatalf("removed %d, %d queued; want 1, 2", len(removed), queued)
		}
	})
}

func TestStalledIsTheWorkerThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, pass, _ := start(t, 2, func() {})
		time.Sleep(time.Hour) // fake time
		if d := p.Stalled(time.Now()); d != 0 {
			t.Fatalf("an idle pool is stalled for %v", d)
		}
		p.Put(blocks(0, 1)...)
		synctest.Wait()
		time.Sleep(time.Minute)
		p.Put(blocks(1, 1)...)
		synctest.Wait()
		time.Sleep(time.Minute)
		if d := p.Stalled(time.Now()); d != 2*time.Minute {
			t.Fatalf("stalled for %v, want the 2m of the first block", d)
		}
		pass <- struct{}{}
		pass <- struct{}{}
		synctest.Wait()
		if d := p.Stalled(time.Now()); d != 0 {
			t.Fatalf("stalled for %v after the blocks", d)
		}
	})
}
