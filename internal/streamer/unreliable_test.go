package streamer

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"streamer/internal/pipeline"
	"streamer/internal/record"
	"streamer/internal/sink"
)

var (
	errSick    = errors.New("the sink is sick")
	errPoison  = errors.New("it is poison")
	errRefused = errors.New("the sink does not want it")
)

// unreliableWorker passes records through, now and then slowly, and deals with those that are poison as the policy says.
type unreliableWorker struct {
	w    *world
	rand *rand.Rand
	most time.Duration
	hung *atomic.Bool
}

// Process implements [processor.Worker].
func (u unreliableWorker) Process(b *record.Block) {
	if u.most > 0 && u.rand.IntN(3) == 0 {
		time.Sleep(upTo(u.rand, u.most)) // virtual
	}
	for u.hung.Load() || u.w.holds != nil && u.w.holds(b) {
		time.Sleep(100 * time.Millisecond) // virtual
	}
	for i, r := range b.In {
		if u.w.ledger.fault(r.Partition, r.Offset) != poison {
			b.Out = append(b.Out, record.Output{Value: r.Value, Offset: r.Offset})
			continue
		}
		failure := record.Failure{Offset: r.Offset, Class: record.ClassDecode, Step: "decode", Err: errPoison}
		switch u.w.onError {
		case pipeline.Skip:
			b.Skipped = append(b.Skipped, failure)
		case pipeline.DeadLetter:
			b.Dead = append(b.Dead, record.DeadLetter{Failure: failure, Owner: b.Owner, Value: r.Value})
		default:
			b.Stop(i, &failure)
			b.In = nil
			return
		}
	}
	b.In = nil
}

// unreliableSink writes to the ledger, sometimes late, in part, or not at all.
type unreliableSink struct {
	w    *world
	as   debt
	rand *rand.Rand // only used by Write
	hung atomic.Bool
	dead atomic.Bool
	sick atomic.Int64 // so many writes fail
}

// Write implements [sink.Sink].
func (s *unreliableSink) Write(ctx context.Context, b *record.Batch) error {
	for first := true; first || s.hung.Load(); first = false {
		select {
		case <-time.After(upTo(s.rand, 200*time.Millisecond)): // virtual
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	part := b.Records
	if s.sick.Add(-1) >= 0 {
		part = s.rand.IntN(b.Records + 1)
	}
	var rejected []sink.Rejection
	stuck := make(map[int32]bool) // behind a refused record nothing of its partition is delivered
	for _, block := range b.Blocks {
		for i := range block.Len() {
			out, p := block.Output(i), block.Owner.Partition
			if out.Refused {
				continue
			}
			if part--; part < 0 {
				return &sink.RetryableError{Err: errSick}
			}
			if s.dead.Load() {
				return context.Canceled
			}
			switch {
			case s.as == owesOutput && s.w.ledger.fault(p, out.Offset) == refused:
				rejected = append(rejected, sink.Reject(block, i, errRefused))
				stuck[p] = true
			case !stuck[p]:
				s.w.ledger.deliver(p, out.Offset, out.Value, s.as)
			}
		}
	}
	return sink.RejectAll(rejected)
}

// Close implements [sink.Sink].
func (*unreliableSink) Close() error { return nil }

func upTo(r *rand.Rand, most time.Duration) time.Duration {
	return time.Duration(r.Int64N(int64(most)))
}
