package kafkasink_test

import (
	"context"
	"log/slog"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"streamer/internal/sink/kafkasink"
	"streamer/internal/sink/sinktest"
)

// broker is an embedded cluster with the sink's topic "out".
type broker struct {
	*kfake.Cluster
	inputs map[string]int
	looked int // how often a sink asked for inputs
	// dial connects to it; nil is TCP.
	dial func(ctx context.Context, network, address string) (net.Conn, error)
}

func newBroker(t testing.TB, partitions int32, opts ...kfake.Opt) *broker {
	t.Helper()
	opts = append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)
	if partitions > 0 {
		opts = append(opts, kfake.SeedTopics(partitions, "out"))
	}
	cluster, err := kfake.NewCluster(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return &broker{Cluster: cluster, inputs: map[string]int{"in": int(partitions)}}
}

func (b *broker) seeds() []kgo.Opt {
	opts := []kgo.Opt{kgo.SeedBrokers(b.ListenAddrs()...)}
	if b.dial != nil {
		opts = append(opts, kgo.Dialer(b.dial))
	}
	return opts
}

func (b *broker) client(t testing.TB, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append(b.seeds(), opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func (b *broker) cluster(opts ...kgo.Opt) kafkasink.Cluster {
	return kafkasink.Cluster{
		NewClient: func(more ...kgo.Opt) (*kgo.Client, error) {
			all := append(append(b.seeds(),
				// So that a test does not spend its time in kgo's pauses.
				kgo.MetadataMinAge(20*time.Millisecond),
				kgo.RetryBackoffFn(func(int) time.Duration { return 10 * time.Millisecond }),
			), opts...)
			return kgo.NewClient(append(all, more...)...)
		},
		InputPartitions: func(context.Context) (map[string]int, error) {
			b.looked++
			return b.inputs, nil
		},
	}
}

func config() kafkasink.Config {
	cfg := kafkasink.DefaultConfig()
	cfg.Topic = "out"
	return cfg
}

func (b *broker) sink(t testing.TB, cfg kafkasink.Config) *kafkasink.Sink {
	t.Helper()
	s, err := kafkasink.New(t.Context(), cfg, b.cluster(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// records reads the sink's own topic to its end, partition by partition.
func (b *broker) records(t testing.TB) []*kgo.Record { return b.topic(t, "out") }

func (b *broker) topic(t testing.TB, topic string) []*kgo.Record {
	t.Helper()
	client := b.client(t, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchMaxWait(50*time.Millisecond))
	defer client.Close()
	ends, err := kadm.NewClient(client).ListEndOffsets(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	var want int
	ends.Each(func(end kadm.ListedOffset) { want += int(end.Offset) })
	var all []*kgo.Record
	for len(all) < want {
		fetches := client.PollFetches(t.Context())
		if err := fetches.Err(); err != nil {
			t.Fatalf("read the topic: %v", err)
		}
		all = append(all, fetches.Records()...)
	}
	slices.SortStableFunc(all, func(a, b *kgo.Record) int { return int(a.Partition - b.Partition) })
	return all
}

func (b *broker) delivered(t *testing.T) []sinktest.Delivered { return b.routed(t, "out") }

func (b *broker) routed(t *testing.T, topic string) []sinktest.Delivered {
	t.Helper()
	var all []sinktest.Delivered
	for _, r := range b.topic(t, topic) {
		all = append(all, sinktest.Delivered{Key: r.Key, Value: r.Value, Headers: r.Headers, Timestamp: r.Timestamp})
	}
	return all
}

// refuse makes the broker answer every produce request with the error until heal.
func (b *broker) refuse(err *kerr.Error) (heal func()) {
	return b.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: err, Count: -1}).Remove
}

func header(key string, size int) kgo.RecordHeader {
	return kgo.RecordHeader{Key: key, Value: make([]byte, size)}
}
