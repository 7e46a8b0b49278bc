package kafkasink

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/record"
	"streamer/internal/sink"
)

// Record.Offset tells what is known of a record. kgo sets it when a record settles, to notAcked on failure.
const (
	notAcked   = -1 // no broker has acknowledged it
	passedOver = 0  // or acknowledged: nothing is left to do about it
)

// shipment is one block on its way. It outlives a Write that failed, so that the next one knows what has arrived.
type shipment struct {
	number  int  // in the batch
	again   bool // it is an earlier Write's
	block   *record.Block
	records []kgo.Record // one for each output; kgo has pointers into it until pending is 0
	// Guarded by Sink.mu, because the client's goroutine changes them.
	pending int    // promised and not settled
	round   *round // that the records were last produced in
	wait    *wait  // the Write that waits for pending to become 0; nil if none does
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

// load returns the batch's shipments: those that an earlier Write left of the same blocks, and new ones for the others.
// Shipments of blocks that have left the batch are forgotten; their context has ended, so the client drops what it has
// not sent yet. If there are records that cannot go, it returns those and changes nothing.
func (s *Sink) load(batch *record.Batch) ([]*shipment, []sink.Rejection) {
	var refused []sink.Rejection
	space := s.space(batch)
	ships := make([]*shipment, 0, len(batch.Blocks))
	shipped := make(map[*record.Block]*shipment, len(batch.Blocks))
	for _, block := range batch.Blocks {
		if block.Len() == 0 {
			continue
		}
		ship, again := s.shipped[block]
		if !again {
			n := block.Len()
			ship = &shipment{block: block, records: space[:n:n]}
			space = space[n:]
			refused = s.pack(ship, refused)
		}
		ship.number, ship.again = len(ships), again
		shipped[block] = ship
		ships = append(ships, ship)
	}
	if len(refused) > 0 {
		return nil, refused
	}
	s.shipped = shipped
	return ships, nil
}

// space returns records for all blocks that have no shipment yet: one allocation per batch, none if the last batch's
// records are free again.
func (s *Sink) space(batch *record.Batch) []kgo.Record {
	var n int
	for _, block := range batch.Blocks {
		if s.shipped[block] == nil {
			n += block.Len()
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

// pack fills in the shipment's records, and adds to refused the outputs that cannot go.
func (s *Sink) pack(ship *shipment, refused []sink.Rejection) []sink.Rejection {
	router := s.router(ship.block.Owner)
	small := int(s.cfg.MaxMessageBytes / 2) // without headers surely not too large, and nothing need be counted
	for i := range ship.block.Len() {
		out := ship.block.Output(i)
		topic, mark, err := router.topic, router.mark, router.err
		switch {
		case out.Refused:
			ship.records[i] = kgo.Record{Offset: passedOver}
			continue
		case out.To != nil:
			topic, mark, err = router.route(out.To)
		}
		if err != nil {
			refused = append(refused, sink.Reject(ship.block, i, err))
		} else if (len(out.Headers) > 0 || len(out.Key)+len(out.Value) > small) && s.tooLarge(&out) {
			refused = append(refused, s.reject(ship.block, i, oversize(&out), topic))
		}
		ship.records[i] = kgo.Record{
			Topic: topic, Partition: mark, Offset: notAcked,
			Key: out.Key, Value: out.Value, Headers: out.Headers, Timestamp: out.Timestamp,
		}
	}
	return refused
}

// adapt brings a shipment of an earlier Write in line with its block, which may have been cut meanwhile, and some of its
// outputs refused. Nothing may be pending.
func (ship *shipment) adapt() {
	ship.records = ship.records[:ship.block.Len()]
	for i := range ship.records {
		if r := &ship.records[i]; r.Offset == notAcked && ship.block.Output(i).Refused {
			r.Offset = passedOver
		}
	}
}

// unload forgets a batch that has arrived, and lets go of its payload.
func (s *Sink) unload() {
	clear(s.shipped)
	clear(s.spare)
	clear(s.paces)
}

// index finds a record of the shipment.
func (ship *shipment) index(record *kgo.Record) int {
	for i := range ship.records {
		if &ship.records[i] == record {
			return i
		}
	}
	return -1
}

// produce hands to the client what has not been acknowledged yet, less what is held back, and reports whether something
// is. Nothing may be pending.
func (s *Sink) produce(ctx context.Context, round *round, ships []*shipment) (held bool) {
	for _, ship := range ships {
		s.mu.Lock()
		ship.round = round
		s.mu.Unlock()
		promise := func(r *kgo.Record, err error) { s.settle(ship, r, err) }
		promised := 0
		for i := range ship.records {
			r := &ship.records[i]
			if r.Offset != notAcked {
				continue
			}
			if len(s.paces) > 0 && s.holds(r) {
				held = true
				continue
			}
			promised++
			r.Context = nil //nolint:fatcontext // an earlier round's, which has ended, would cancel this one too
			s.client.Produce(ctx, r, promise)
		}
		s.mu.Lock()
		ship.pending += promised // some may have settled already; nobody waits for this shipment yet
		s.mu.Unlock()
	}
	return held
}

// settle is the promise of every record of the shipment.
func (s *Sink) settle(ship *shipment, r *kgo.Record, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ship.pending--
	if err != nil {
		s.fail(ship, r, err)
	}
	if ship.pending > 0 || ship.wait == nil {
		return
	}
	if ship.wait.left--; ship.wait.left == 0 {
		ship.wait.end()
	}
	ship.wait = nil
}
