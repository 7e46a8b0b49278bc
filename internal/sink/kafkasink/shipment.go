package kafkasink

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/record"
	"streamer/internal/sink"
)

// notAcked is the offset of a record that no broker has acknowledged. kgo sets it on failure too.
const notAcked = -1

// shipment is one block on its way. It outlives a Write that failed, so that the next one knows what has arrived.
type shipment struct {
	owner   record.Owner
	out     []record.Output
	records []kgo.Record // as out; kgo has pointers into it until pending is 0
	// Guarded by Sink.mu, because the client's goroutine changes them.
	pending int // promised and not settled
	failed  int // settled with an error since the last produce
	err     error
	at      *kgo.Record // the first record that failed
	cancel  func()      // ends the round that the records were produced in
	wait    *wait       // the Write that waits for pending to become 0; nil if none does
}

// wait is one Write's wait for its shipments; its fields are guarded by Sink.mu.
type wait struct {
	left int           // shipments with something pending
	done chan struct{} // closed when left is 0, or at a failure that makes waiting for the rest pointless
	over bool          // done is closed
}

func (w *wait) end() {
	if !w.over {
		w.over = true
		close(w.done)
	}
}

// origin is the provenance of the first record that failed.
func (s *shipment) origin() sink.Origin {
	for i := range s.records {
		if &s.records[i] == s.at {
			return sink.Origin{Owner: s.owner, Offset: s.out[i].Offset}
		}
	}
	return sink.Origin{Owner: s.owner}
}

// load returns the batch's shipments: those that an earlier Write left of the same blocks, and new ones for the others.
// Shipments of blocks that have left the batch are forgotten; their context has ended, so the client drops what it has
// not sent yet.
func (s *Sink) load(batch *record.Batch) []*shipment {
	space := s.space(batch)
	ships := make([]*shipment, 0, len(batch.Blocks))
	shipped := make(map[*record.Block]*shipment, len(batch.Blocks))
	for _, block := range batch.Blocks {
		if len(block.Out) == 0 {
			continue
		}
		ship := s.shipped[block]
		if ship == nil {
			n := len(block.Out)
			ship = s.pack(block, space[:n:n])
			space = space[n:]
		}
		shipped[block] = ship
		ships = append(ships, ship)
	}
	s.shipped = shipped
	return ships
}

// space returns records for all blocks that have no shipment yet: one allocation per batch, none if the last batch's
// records are free again.
func (s *Sink) space(batch *record.Batch) []kgo.Record {
	var n int
	for _, block := range batch.Blocks {
		if s.shipped[block] == nil {
			n += len(block.Out)
		}
	}
	if len(s.shipped) > 0 { // a Write failed, and what it left still uses the spare records
		s.spare = nil
		return make([]kgo.Record, n)
	}
	if cap(s.spare) < n {
		s.spare = make([]kgo.Record, n)
	}
	s.spare = s.spare[:n]
	return s.spare
}

func (s *Sink) pack(block *record.Block, records []kgo.Record) *shipment {
	mark := s.placement.mark(block.Owner)
	for i := range block.Out {
		out := &block.Out[i]
		records[i] = kgo.Record{
			Topic: s.cfg.Topic, Partition: mark, Offset: notAcked,
			Key: out.Key, Value: out.Value, Headers: out.Headers, Timestamp: out.Timestamp,
		}
	}
	return &shipment{owner: block.Owner, out: block.Out, records: records, failed: len(records)}
}

// unload forgets a batch that has arrived, and lets go of its payload.
func (s *Sink) unload() {
	clear(s.shipped)
	clear(s.spare)
}

// produce hands to the client what has not been acknowledged yet: a round. Nothing may be pending. The first failure
// cancels the round, so that what has not been sent yet does not overtake what failed.
func (s *Sink) produce(ctx context.Context, cancel func(), ships []*shipment) {
	for _, ship := range ships {
		s.mu.Lock()
		todo := ship.failed
		ship.pending, ship.failed, ship.err, ship.at, ship.cancel = todo, 0, nil, nil, cancel
		s.mu.Unlock()
		if todo == 0 {
			continue
		}
		promise := func(r *kgo.Record, err error) { s.settle(ship, r, err) }
		for i := range ship.records {
			if r := &ship.records[i]; r.Offset == notAcked {
				r.Context = nil //nolint:fatcontext // an earlier round's, which has ended, would cancel this one too
				s.client.Produce(ctx, r, promise)
			}
		}
	}
}

// settle is the promise of every record of the shipment.
func (s *Sink) settle(ship *shipment, r *kgo.Record, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ship.pending--
	if err != nil {
		if ship.failed++; ship.failed == 1 {
			ship.err, ship.at = err, r
			ship.cancel()
			if ship.wait != nil && sink.Classify(s.classify(err, sink.Origin{})) == sink.Permanent {
				ship.wait.end()
			}
		}
	}
	if ship.pending > 0 || ship.wait == nil {
		return
	}
	if ship.wait.left--; ship.wait.left == 0 {
		ship.wait.end()
	}
	ship.wait = nil
}
