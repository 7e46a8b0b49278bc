package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/kafka"
)

const (
	inputTopic  = "events"
	outputTopic = "views"
	group       = "ad-views"
)

// Broker is an embedded broker on loopback that keeps its logs in memory.
type Broker struct{ cluster *kfake.Cluster }

// StartBroker starts a broker with both topics.
func StartBroker() (*Broker, error) {
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.SeedTopics(partitions, inputTopic, outputTopic),
		// Memory is given back by whole segments; the default of 100 MiB would hold every demo from its first record on.
		kfake.BrokerConfigs(map[string]string{"log.segment.bytes": "1048576"}),
	)
	if err != nil {
		return nil, fmt.Errorf("start embedded broker: %w", err)
	}
	return &Broker{cluster: cluster}, nil
}

// Close stops the broker and frees its logs.
func (b *Broker) Close() { b.cluster.Close() }

// Addr is what clients connect to.
func (b *Broker) Addr() string { return b.cluster.ListenAddrs()[0] }

// Client makes a client of the broker. kafka's own defaults are for a service that must outlast its broker; here the
// broker lives as long as the client.
func (b *Broker) Client(role string, opts ...kgo.Opt) (*kgo.Client, error) {
	client, err := kafka.NewClient(b.connection(), kafka.Use{Role: role, Path: "kafka"}, opts...)
	if err != nil {
		return nil, fmt.Errorf("connect %s to the embedded broker: %w", role, err)
	}
	return client, nil
}

func (b *Broker) connection() kafka.Config {
	config := kafka.DefaultConfig()
	config.Brokers = []string{b.Addr()}
	config.ClientID = "streamer-demo"
	return config
}

// trimEvery is how often memory of records that nobody needs any more is given back.
const trimEvery = time.Second

// Trim deletes, every trimEvery until ctx ends, the input that is committed and the output that has been read. A demo
// that runs over lunch would hold every record of it otherwise.
func (b *Broker) Trim(ctx context.Context, committed, read func() [partitions]int64) error {
	ticks := time.NewTicker(trimEvery)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticks.C:
		}
		for topic, offsets := range map[string][partitions]int64{inputTopic: committed(), outputTopic: read()} {
			for p, offset := range offsets {
				if err := b.trim(topic, int32(p), offset); err != nil {
					return err
				}
			}
		}
	}
}

func (b *Broker) trim(topic string, partition int32, offset int64) error {
	info := b.cluster.PartitionInfo(topic, partition)
	if info == nil || offset <= info.LogStartOffset {
		return nil
	}
	if err := b.cluster.DeleteRecords(topic, partition, offset); err != nil {
		return fmt.Errorf("trim %s/%d to %d: %w", topic, partition, offset, err)
	}
	return nil
}

// End is the offset that the next record of the partition gets.
func (b *Broker) End(topic string, partition int32) int64 {
	info := b.cluster.PartitionInfo(topic, partition)
	if info == nil {
		return 0
	}
	return info.HighWatermark
}
