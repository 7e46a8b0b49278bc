package kafkasink

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// kgo has no hook for answers such as NOT_ENOUGH_REPLICAS, which it retries: then silence is all there is to see.
func TestSilenceIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &health{}
		h.begin()
		time.Sleep(silence - time.Second)
		if err := h.waiting(); err != nil {
			t.Errorf("waiting() = %v after a slow answer", err)
		}
		h.OnProduceBatchWritten(kgo.BrokerMetadata{}, "out", 0, kgo.ProduceBatchMetrics{})
		time.Sleep(silence - time.Second)
		if err := h.waiting(); err != nil {
			t.Errorf("waiting() = %v, but a batch was acknowledged meanwhile", err)
		}
		time.Sleep(time.Minute)
		if err := h.waiting(); err == nil || !strings.Contains(err.Error(), "no acknowledgement for 1m11s") {
			t.Errorf("waiting() = %v, want for how long", err)
		}
		h.end()
		if err := h.waiting(); err != nil {
			t.Errorf("waiting() = %v after the Write", err)
		}
	})
}

func TestAnAcknowledgementEndsTheTrouble(t *testing.T) {
	h := &health{}
	h.begin()
	h.OnBrokerConnect(kgo.BrokerMetadata{Host: "b", Port: 9092}, 0, nil, errors.New("refused"))
	if err := h.waiting(); err == nil || err.Error() != "connect to broker b:9092: refused" {
		t.Errorf("waiting() = %v", err)
	}
	h.OnProduceBatchWritten(kgo.BrokerMetadata{}, "out", 0, kgo.ProduceBatchMetrics{})
	if err := h.waiting(); err != nil {
		t.Errorf("waiting() = %v after an acknowledgement", err)
	}
}
