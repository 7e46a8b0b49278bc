package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/bench/event"
	"streamer/integration/eventually"
	"streamer/integration/kafkatest"
)

// topic creates a topic and waits until all of it has leaders.
func (h *harness) topic(ctx context.Context, what string, partitions int32) (string, error) {
	const patience = 30 * time.Second
	name := kafkatest.Unique(what)
	if _, err := h.admin.CreateTopic(ctx, partitions, -1, nil, name); err != nil {
		return "", fmt.Errorf("create topic %s: %w", name, err)
	}
	return name, eventually.Wait(ctx, patience, func(ctx context.Context) error {
		ends, err := h.admin.ListEndOffsets(ctx, name)
		if err == nil {
			err = ends.Error()
		}
		if err == nil && len(ends[name]) != int(partitions) {
			err = fmt.Errorf("%d of %d partitions are there", len(ends[name]), partitions)
		}
		return err
	})
}

// remove deletes topics, so that the broker's disk and cache hold one workload at a time.
func (h *harness) remove(ctx context.Context, topics ...string) error {
	deleted, err := h.admin.DeleteTopics(ctx, topics...)
	if err == nil {
		err = deleted.Error()
	}
	if err != nil {
		return fmt.Errorf("delete topics: %w", err)
	}
	return nil
}

// client makes a client for the harness itself.
func (h *harness) client(opts ...kgo.Opt) (*kgo.Client, error) {
	client, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(h.broker.Addrs...),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()),
	}, opts...)...)
	if err != nil {
		return nil, fmt.Errorf("make client: %w", err)
	}
	return client, nil
}

// chunk is how many records the harness makes at once: one arena and one slab, so that making events is not what takes
// the time.
const chunk = 10_000

// fill writes events to a topic, partition by partition in turns, lz4 as a busy producer sends it.
func (h *harness) fill(ctx context.Context, topic string, partitions int32, size event.Size, count int64) error {
	client, err := h.client(kgo.ProducerLinger(100*time.Millisecond), kgo.MaxBufferedRecords(20*chunk))
	if err != nil {
		return err
	}
	defer client.Close()
	events := event.NewGenerator(h.seed, size)
	var promise kgo.FirstErrPromise
	for first := int64(0); first < count; first += chunk {
		for _, r := range makeChunk(events, topic, partitions, first, min(chunk, count-first)) {
			client.Produce(ctx, &r, promise.Promise())
		}
	}
	if err := client.Flush(ctx); err != nil {
		return fmt.Errorf("fill topic %s: %w", topic, err)
	}
	if err := promise.Err(); err != nil {
		return fmt.Errorf("fill topic %s: %w", topic, err)
	}
	return nil
}

func makeChunk(events *event.Generator, topic string, partitions int32, first, count int64) []kgo.Record {
	records := make([]kgo.Record, count)
	const enough = 320 // bytes of a record; more only costs a copy
	arena := make([]byte, 0, count*enough)
	for i := range count {
		start := len(arena)
		var value int
		arena, value = events.Next(arena, event.FirstTime+first+i)
		records[i] = kgo.Record{
			Topic: topic, Partition: int32((first + i) % int64(partitions)),
			Key: arena[start:value:value], Value: arena[value:len(arena):len(arena)],
		}
	}
	return records
}
