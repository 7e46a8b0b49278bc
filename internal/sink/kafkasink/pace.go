package kafkasink

import (
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// pace bounds what a round sends to an output partition of which a broker has refused a record batch. The broker names no
// record and may mean the batch as a whole (its size), so the sink sends less and less: half of what was refused, until a
// record that is refused alone is the one, and twice as much after each success.
type pace struct {
	window int  // records a round may send
	sent   int  // in this round
	held   bool // records were held back in this round
}

// holds reports whether the record must wait for a later round, and else counts it.
func (s *Sink) holds(r *kgo.Record) bool {
	if r.Partition < 0 { // not placed yet: it may belong behind one that is held back
		for at := range s.paces {
			if at.topic == r.Topic {
				return true
			}
		}
		return false
	}
	p := s.paces[place{r.Topic, r.Partition}]
	switch {
	case p == nil:
		return false
	case p.sent == p.window:
		p.held = true
		return true
	default:
		p.sent++
		return false
	}
}

// narrow halves what the next round sends to a partition after a refusal, and reports whether the refused record is found:
// it was the only one that failed.
func (s *Sink) narrow(at place, f *failure) (found bool) {
	p := s.paces[at]
	if p == nil {
		if s.paces == nil {
			s.paces = make(map[place]*pace)
		}
		p = &pace{}
		s.paces[at] = p
	}
	p.window = max(1, f.count/2)
	if f.count > 1 {
		s.warnRefused(at, f)
	}
	return f.count == 1
}

// widen ends the round for the paces: partitions that have taken what they were sent may get more, and those that have
// nothing left are free again.
func (s *Sink) widen(now *round) {
	for at, p := range s.paces {
		if now.failures[at] == nil {
			if !p.held {
				delete(s.paces, at)
				continue
			}
			p.window *= 2
		}
		p.sent, p.held = 0, false
	}
}

// warnEvery keeps a topic that takes only small batches from filling the log.
const warnEvery = 10 * time.Second

func (s *Sink) warnRefused(at place, f *failure) {
	if now := time.Now(); now.Sub(s.warned) >= warnEvery {
		s.warned = now
		s.logger.Warn("broker refused a record batch, sending smaller ones; if this goes on, max_message_bytes is above "+
			"the topic's max.message.bytes", slog.String("setting", s.cluster.Path+".max_message_bytes"),
			slog.String("topic", at.topic), slog.Int("partition", int(at.partition)),
			slog.Int("records", f.count), slog.Any("error", f.err))
	}
}
