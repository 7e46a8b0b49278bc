package kafkasink

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// gate holds the brokers' answers back while a round is handed to the client. The goroutine with which the client sent the
// last round may still be at work then, and send the first records of this one early. Were they refused before the last are
// handed over, the client would fail the first, take the last for a new beginning, and those would overtake. It is a channel
// and no mutex so that tests in virtual time can wait at it.
type gate chan struct{}

var _ kgo.HookBrokerRead = gate(nil)

func newGate() gate { return make(gate, 1) }

func (g gate) close() { g <- struct{}{} }
func (g gate) open()  { <-g }

// OnBrokerRead is called by the client between reading an answer and looking at it, without a lock of the client's. Handing
// over never waits for an answer, because the client's buffer has no limit.
func (g gate) OnBrokerRead(kgo.BrokerMetadata, int16, int, time.Duration, time.Duration, error) {
	g.close()
	g.open()
}
