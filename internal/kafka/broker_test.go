package kafka_test

import (
	"context"
	"log/slog"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"streamer/internal/kafka"
	"streamer/internal/setting"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testTimeout is when a test that waits gives up.
const testTimeout = 30 * time.Second

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	t.Cleanup(cancel)
	return ctx
}

// newCluster is an embedded broker with one node, unless the options say otherwise.
func newCluster(t *testing.T, opts ...kfake.Opt) (*kfake.Cluster, kafka.Config) {
	t.Helper()
	cluster, err := kfake.NewCluster(append([]kfake.Opt{
		kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(100 * time.Millisecond),
	}, opts...)...)
	if err != nil {
		t.Fatalf("start cluster: %v", err)
	}
	t.Cleanup(cluster.Close)
	config := kafka.DefaultConfig()
	config.Brokers = cluster.ListenAddrs()
	return cluster, config
}

func testUse() kafka.Use {
	return kafka.Use{Role: "test", Path: "kafka", Logger: slog.New(slog.DiscardHandler)}
}

func newClient(t *testing.T, config kafka.Config, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kafka.NewClient(config, testUse(), opts...)
	if err != nil {
		t.Fatalf("build client: %v", err)
	}
	t.Cleanup(client.Close)
	return client
}

func newAdmin(t *testing.T, config kafka.Config) *kafka.Admin {
	t.Helper()
	return kafka.NewAdmin(newClient(t, config))
}

// produce writes count records to one partition, with timestamps one second apart from 2026-01-01 on.
func produce(t *testing.T, config kafka.Config, topic string, partition int32, count int) {
	t.Helper()
	client := newClient(t, config, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	records := make([]*kgo.Record, count)
	for i := range records {
		records[i] = &kgo.Record{
			Topic: topic, Partition: partition, Value: []byte("value-" + strconv.Itoa(i)),
			Timestamp: time.Date(2026, 1, 1, 0, 0, i, 0, time.UTC),
		}
	}
	if err := client.ProduceSync(testContext(t), records...).FirstErr(); err != nil {
		t.Fatalf("produce to %s/%d: %v", topic, partition, err)
	}
}

func source(group string, topics ...string) kafka.SourceConfig {
	s := kafka.DefaultSourceConfig()
	s.Topics, s.Group = topics, group
	s.SessionTimeout = setting.Duration(6 * time.Second)
	return s
}

// join runs a member of the group until the test ends, and returns it once it has partitions.
func join(t *testing.T, config kafka.Config, s kafka.SourceConfig, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	joined := make(chan struct{}, 1)
	options, _ := kafka.SourceOptions(s, 64<<20)
	options = append(options, kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, assigned map[string][]int32) {
		if len(assigned) > 0 {
			select {
			case joined <- struct{}{}:
			default:
			}
		}
	}))
	client := newClient(t, config, append(options, opts...)...)
	select {
	case <-joined:
	case <-testContext(t).Done():
		t.Fatal("the member got no partitions")
	}
	return client
}
