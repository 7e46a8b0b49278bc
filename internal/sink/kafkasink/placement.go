package kafkasink

import (
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/record"
)

// placement decides the partition that an output goes to.
type placement struct {
	outputs int            // partitions of the sink's topic
	inputs  map[string]int // partitions of each input topic
}

// covers reports whether the owner's partition existed when the counts were looked up. If not, a topic has grown or is
// new, and the decision below would rest on old counts.
func (p *placement) covers(owner record.Owner) bool {
	return int(owner.Partition) < p.inputs[owner.Topic]
}

// samePartition reports whether the input topic's records keep their partition.
func (p *placement) samePartition(topic string) bool { return p.inputs[topic] == p.outputs }

// mark is what the partitioner reads from Record.Partition: the partition itself, or, below zero, the complement of the
// input partition, which asks for placement by key.
func (p *placement) mark(owner record.Owner) int32 {
	if p.samePartition(owner.Topic) {
		return owner.Partition
	}
	return ^owner.Partition
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
			case r.Key == nil:
				return int(^r.Partition) % n
			default:
				return byKey.Partition(r, n)
			}
		}
	})
}
