package kafka

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// mostEarly is how many answers of one broker in a row may come before their time and bring no record. Leaders that move
// and sessions that are lost make a few; between two polls that bring records there are at most two, since kgo holds back
// a broker's next fetch until what it has of that broker is polled.
const mostEarly = 8

// fetchPacer is a hook that slows down fetches that lead nowhere. kgo backs off when no partition of an answer gets on, but
// not when one that cannot be read shares its broker with one that is idle: the broker then answers at once, for there is
// data, and both sides spin.
type fetchPacer struct {
	polls atomic.Uint64 // that brought records, and batches that were read whole

	mu    sync.Mutex // kgo calls hooks from one goroutine per connection
	nodes map[int32]*pace
}

type pace struct {
	polls uint64 // as they were at the last answer
	early int
}

var _ kgo.HookBrokerRead = (*fetchPacer)(nil)

// OnBrokerRead implements [kgo.HookBrokerRead]. It holds up the connection, which carries nothing but fetches.
func (p *fetchPacer) OnBrokerRead(from kgo.BrokerMetadata, key int16, _ int, waited, reading time.Duration, err error) {
	if kmsg.Key(key) != kmsg.Fetch || err != nil {
		return
	}
	if pause := p.pause(from.NodeID, waited+reading); pause > 0 {
		<-time.After(pause) // there is no context: the client ends the connection, and this ends soon after
	}
}

func (p *fetchPacer) pause(node int32, took time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := p.nodes[node]
	if at == nil {
		if p.nodes == nil {
			p.nodes = make(map[int32]*pace)
		}
		at = &pace{}
		p.nodes[node] = at
	}
	polls := p.polls.Load()
	if polls != at.polls || took >= fetchMaxWait/2 { // one that waited for data has paced itself
		at.polls, at.early = polls, 0
		return 0
	}
	if at.early < mostEarly {
		at.early++
		return 0
	}
	return fetchMaxWait
}
