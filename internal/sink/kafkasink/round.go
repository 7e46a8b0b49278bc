package kafkasink

import (
	"cmp"
	"context"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/sink"
)

// round is one handing over of what is not acknowledged yet, up to the answers.
type round struct {
	cancel   func()             // drops what has not been sent
	failures map[place]*failure // nil if there are none; guarded by Sink.mu
}

// failure is what went wrong in one output partition; the client fails a partition as a whole.
type failure struct {
	err   error // the first
	ship  *shipment
	at    *kgo.Record // the first record that failed
	count int         // records that failed
}

// fail notes a record's failure. The first one ends the round, so that what has not been sent yet does not overtake what
// failed; not so if the broker refused it, for then the client has failed all of that partition at once, and the others may go
// on. Sink.mu is held.
func (s *Sink) fail(ship *shipment, r *kgo.Record, err error) {
	at := place{r.Topic, r.Partition}
	if known := ship.round.failures[at]; known != nil {
		known.count++
		return
	}
	if ship.round.failures == nil {
		ship.round.failures = make(map[place]*failure)
	}
	ship.round.failures[at] = &failure{err: err, ship: ship, at: r, count: 1}
	if isRefusal(err) {
		return
	}
	ship.round.cancel()
	if ship.wait != nil && sink.Classify(s.classify(err, r.Topic)) == sink.Permanent {
		ship.wait.end()
	}
}

// round produces what is not acknowledged yet and waits for the answers. It reports whether all has arrived, and the worst
// failure that the caller of Write must know of. Neither means that there is more to send.
func (s *Sink) round(ctx context.Context, ships []*shipment) (done bool, err error) {
	s.short.Store(false)
	ours, cancel := context.WithCancel(ctx)
	defer cancel()
	now := &round{cancel: cancel}
	s.gate.close()
	held := s.produce(ours, now, ships)
	s.gate.open()
	if s.short.Load() {
		// Some had no place, but the client may have learned of their partition while it took those behind them. So nothing goes;
		// nothing has gone yet, because the client sends only while somebody waits.
		cancel()
	}
	if err := s.await(ctx, ships); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	done = !held && len(now.failures) == 0
	return done, s.verdict(now)
}

// verdict is the worst failure of the round, nil if there is none or if the refused records are still to be found. Sink.mu
// is held.
func (s *Sink) verdict(now *round) error {
	var worst error
	var refused []*failure
	for at, f := range now.failures {
		if isRefusal(f.err) {
			if s.narrow(at, f) {
				refused = append(refused, f)
			}
			continue
		}
		if isAny(f.err, poisoned()) || isGone(f.err) {
			s.poisoned = true
		}
		if err := s.classify(f.err, at.topic); worst == nil || weight(err) > weight(worst) {
			worst = err
		}
	}
	s.widen(now)
	if s.short.Load() {
		s.unplaced = true // the client must look again too
	}
	if len(refused) > 0 && (worst == nil || weight(worst) < weightRefused) {
		return s.blame(refused)
	}
	return worst
}

// blame names the records that a broker refused, in the order of the batch.
func (s *Sink) blame(refused []*failure) error {
	slices.SortFunc(refused, func(a, b *failure) int {
		return cmp.Or(cmp.Compare(a.ship.number, b.ship.number), cmp.Compare(a.ship.index(a.at), b.ship.index(b.at)))
	})
	records := make([]sink.Rejection, len(refused))
	for i, f := range refused {
		records[i] = s.reject(f.ship.block, f.ship.index(f.at), f.err, f.at.Topic)
	}
	return sink.RejectAll(records)
}

// Refused records are told before a failure that waiting may cure: the caller can do something about them.
const weightRefused = 2

// weight orders failures by what they mean for the whole batch.
func weight(err error) int {
	switch sink.Classify(err) {
	case sink.Ended:
		return 0
	case sink.Retryable:
		return 1
	case sink.Rejected:
		return weightRefused
	case sink.Permanent, sink.Unclassified:
		return 3
	default:
		return 3
	}
}
