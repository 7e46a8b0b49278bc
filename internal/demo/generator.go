package demo

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	seqHeader = "seq"
	tick      = 20 * time.Millisecond
	// maxBacklog is how many events may wait for the service before the generator waits too: with a rate that the machine
	// cannot keep up with, the broker's memory must not grow without end.
	maxBacklog = 200_000
)

// Generator produces events. Run is called once; Acked by anyone.
type Generator struct {
	client *kgo.Client
	seed   uint64
	shape  *Shape
	next   [partitions]int64 // the next sequence number; only used by Run
	acked  [partitions]atomic.Int64
	failed chan error // the first failure
}

// NewGenerator makes a generator of rate events per second on average. The client partitions manually.
func NewGenerator(client *kgo.Client, seed uint64, rate int) *Generator {
	return &Generator{client: client, seed: seed, shape: NewShape(rate), failed: make(chan error, 1)}
}

// producerOptions are what the generator's client needs. Sequence numbers equal offsets only if nothing is lost or
// produced twice: idempotence is kgo's default and stays on.
func producerOptions() []kgo.Opt {
	return []kgo.Opt{
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerLinger(5 * time.Millisecond),
		kgo.ProducerBatchCompression(kgo.NoCompression()), // loopback is free, the CPU is not
	}
}

// Acked is the number of events per partition that the broker has acknowledged.
func (g *Generator) Acked() [partitions]int64 {
	var acked [partitions]int64
	for p := range acked {
		acked[p] = g.acked[p].Load()
	}
	return acked
}

// Run produces until ctx ends, waits for all acknowledgements, and returns nil; or the first failure. backlog says how
// many events the service has not committed yet.
func (g *Generator) Run(ctx context.Context, backlog func() int64) error {
	ticks := time.NewTicker(tick)
	defer ticks.Stop()
	began := time.Now()
	for {
		select {
		case <-ctx.Done():
			return g.flush(ctx)
		case err := <-g.failed:
			return err
		case now := <-ticks.C:
			due := g.shape.Due(now.Sub(began))
			if backlog() < maxBacklog {
				g.produce(ctx, due, now)
			}
		}
	}
}

// flush outlives ctx, which has ended: an event that is not acknowledged could still arrive and be called unexpected.
func (g *Generator) flush(ctx context.Context) error {
	if err := g.client.Flush(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("flush events: %w", err)
	}
	select {
	case err := <-g.failed:
		return err
	default:
		return nil
	}
}

func (g *Generator) produce(ctx context.Context, due [partitions]int, now time.Time) {
	now = now.Truncate(time.Millisecond) // what Kafka keeps
	for p, n := range due {
		for range n {
			g.client.Produce(context.WithoutCancel(ctx), g.record(int32(p), now), g.acknowledge)
		}
	}
}

func (g *Generator) record(partition int32, now time.Time) *kgo.Record {
	seq := g.next[partition]
	g.next[partition]++
	event := NewEvent(g.seed, partition, seq)
	return &kgo.Record{
		Topic: inputTopic, Partition: partition, Timestamp: now,
		Key:     event.Key(),
		Value:   event.AppendJSON(make([]byte, 0, 224), now),
		Headers: []kgo.RecordHeader{{Key: seqHeader, Value: strconv.AppendInt(nil, seq, 10)}},
	}
}

// acknowledge is kgo's promise; it is called in offset order per partition.
func (g *Generator) acknowledge(record *kgo.Record, err error) {
	if err == nil {
		g.acked[record.Partition].Add(1)
		return
	}
	select {
	case g.failed <- fmt.Errorf("produce event: %w", err):
	default: // one is enough
	}
}
