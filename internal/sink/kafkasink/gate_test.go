package kafkasink_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/sink/kafkasink"
	"streamer/internal/sink/sinktest"
)

// pause stops the handing over of records at one of them until all else in the bubble has come to rest, with the client
// sending what it has: as its last round's goroutine does if it is still at work.
type pause struct {
	client *kgo.Client
	after  int64
	taken  atomic.Int64
}

func (p *pause) OnProduceRecordBuffered(*kgo.Record) {
	if p.taken.Add(1) != p.after {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { _ = p.client.Flush(ctx) }() // ended by cancel
	time.Sleep(time.Second)                 // virtual
}

// The beginning of a round is refused before its end was handed over: the end must not arrive before the beginning was dealt with.
func TestNothingOvertakesARefusalDuringHandover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := &kfake.VirtualNetwork{}
		b := newBroker(t, 1, kfake.Ports(9092), kfake.ListenFn(network.Listen))
		b.dial = network.DialContext
		b.refusePoison(1, kerr.InvalidRecord)
		slow := &pause{after: 50}
		cluster := b.cluster(kgo.WithHooks(slow))
		connect := cluster.NewClient
		cluster.NewClient = func(opts ...kgo.Opt) (*kgo.Client, error) {
			client, err := connect(opts...)
			slow.client = client
			return client, err
		}
		s, err := kafkasink.New(t.Context(), uncompressed(), cluster, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		settle(t, s, sinktest.Batch(1, poisoned(sinktest.Numbered(0, 0, 100), 20)), answer)
		if slow.taken.Load() < slow.after {
			t.Error("no round was interrupted")
		}
		checkOrder(t, b, [3]int64{99})
	})
}
