package kafkasink

import (
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// silence is how long a Write may go without an acknowledgement before the sink says that it waits. kgo gives no reason
// when brokers answer but refuse (too few in-sync replicas, no leader); above its request time-out of 10 s a single slow
// answer cannot be meant.
const silence = 12 * time.Second

// health watches the client from its hooks: what was the trouble since the last acknowledgement. Safe for all goroutines.
type health struct {
	mu      sync.Mutex
	writing bool
	quiet   time.Time // since when there is no acknowledgement
	trouble error
}

var (
	_ kgo.HookBrokerConnect       = (*health)(nil)
	_ kgo.HookBrokerE2E           = (*health)(nil)
	_ kgo.HookProduceBatchWritten = (*health)(nil)
)

// OnBrokerConnect notes brokers that cannot be reached or that refuse the login.
func (h *health) OnBrokerConnect(broker kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	if err != nil {
		h.note(fmt.Errorf("connect to broker %s:%d: %w", broker.Host, broker.Port, err))
	}
}

// OnBrokerE2E notes requests that were not answered.
func (h *health) OnBrokerE2E(broker kgo.BrokerMetadata, _ int16, e2e kgo.BrokerE2E) {
	if err := e2e.Err(); err != nil {
		h.note(fmt.Errorf("request to broker %s:%d: %w", broker.Host, broker.Port, err))
	}
}

// OnProduceBatchWritten notes that a broker acknowledged something: what was in the way is not any more.
func (h *health) OnProduceBatchWritten(kgo.BrokerMetadata, string, int32, kgo.ProduceBatchMetrics) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.trouble, h.quiet = nil, time.Now()
}

func (h *health) note(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.trouble = err
}

func (h *health) last() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.trouble
}

func (h *health) begin() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.writing, h.quiet = true, time.Now()
}

// end forgets the trouble: idle connections are closed by brokers, and that is no reason to look sick.
func (h *health) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.writing, h.trouble = false, nil
}

func (h *health) waiting() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case !h.writing:
		return nil
	case h.trouble != nil:
		return h.trouble
	case time.Since(h.quiet) >= silence:
		return fmt.Errorf("no acknowledgement for %s; check that every partition has a leader and min.insync.replicas",
			time.Since(h.quiet).Truncate(time.Second))
	default:
		return nil
	}
}
