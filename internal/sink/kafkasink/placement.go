package kafkasink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/record"
)

// placement decides the partition that an output goes to.
type placement struct {
	outputs map[string]int // partitions of each of the sink's topics
	inputs  map[string]int // partitions of each input topic
}

// covers reports whether the owner's partition existed when the counts were looked up. If not, a topic has grown or is
// new, and the decision below would rest on old counts. What was merged from several partitions has no owner.
func (p *placement) covers(owner record.Owner) bool {
	return owner.Topic == "" || int(owner.Partition) < p.inputs[owner.Topic]
}

// samePartition reports whether the input topic's records keep their partition in the output topic.
func (p *placement) samePartition(input, output string) bool {
	return p.inputs[input] == p.outputs[output]
}

// mark is what the partitioner reads from Record.Partition: the partition itself, or, below zero, the complement of the
// input partition, which asks for placement by key.
func (p *placement) mark(owner record.Owner, output string) int32 {
	if p.samePartition(owner.Topic, output) {
		return owner.Partition
	}
	return ^owner.Partition
}

// shrunk reports that an output topic has fewer partitions than before: it was deleted and created again.
func (p *placement) shrunk(before placement) bool {
	for topic, n := range p.outputs {
		if n < before.outputs[topic] {
			return true
		}
	}
	return false
}

// tell logs how records go from each input topic to each output topic, where that is new.
func (p *placement) tell(logger *slog.Logger, before placement) {
	for input, n := range p.inputs {
		for output, m := range p.outputs {
			if before.inputs[input] == n && before.outputs[output] == m {
				continue
			}
			how := "by key"
			if p.samePartition(input, output) {
				how = "same partition"
			}
			logger.Info("sink places records", slog.String("from", input), slog.Int("from_partitions", n),
				slog.String("to", output), slog.Int("to_partitions", m), slog.String("placement", how))
		}
	}
}

// probe marks a record that is never sent; kgo fails it as soon as it knows the topic's partitions.
const probe = math.MinInt32

// acquaint waits until the client knows its topics. Records of a topic that it does not know yet are placed when it learns of
// it, while the first of them are on their way already: those behind a refused one could overtake it. That a topic cannot
// be learned of is no failure here; its records will say so.
func (s *Sink) acquaint(ctx context.Context) error {
	topics := s.cfg.Destinations()
	known := make(chan struct{}, len(topics))
	for _, topic := range topics {
		r := &kgo.Record{Topic: topic, Partition: probe}
		s.client.Produce(ctx, r, func(*kgo.Record, error) { known <- struct{}{} })
	}
	for range topics {
		<-known // the client fails the record when ctx ends, if nothing else happens
	}
	if ctx.Err() != nil {
		return fmt.Errorf("look up topic %s: %w", strings.Join(topics, ", "), errors.Join(context.Cause(ctx), s.health.last()))
	}
	return nil
}

// partitioner places by mark. It sets short when the client does not know the marked partition yet; kgo fails such a
// record with an error that has no type.
func partitioner(short *atomic.Bool) kgo.Partitioner {
	return kgo.BasicConsistentPartitioner(func(topic string) func(*kgo.Record, int) int {
		byKey := kgo.StickyKeyPartitioner(nil).ForTopic(topic) // murmur2 for every record that has a key
		return func(r *kgo.Record, n int) int {
			switch {
			case r.Partition >= 0:
				if int(r.Partition) >= n {
					short.Store(true)
				}
				return int(r.Partition)
			case r.Partition == probe:
				return n // no partition: kgo fails the record
			case r.Key == nil:
				return int(^r.Partition) % n
			default:
				return byKey.Partition(r, n)
			}
		}
	})
}
