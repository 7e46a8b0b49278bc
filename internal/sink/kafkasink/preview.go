package kafkasink

import (
	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/record"
	"streamer/internal/sink"
)

// Preview decides, as the sink does, where outputs go and which are refused. It has no client, so nothing can be written.
type Preview struct {
	sink   *Sink
	placer kgo.Partitioner
	topics map[string]kgo.TopicPartitioner
}

// NewPreview takes the partition counts of the input's topics and of all that the sink may write to.
func NewPreview(cfg Config, inputs, outputs map[string]int) *Preview {
	s := &Sink{cfg: cfg, cluster: Cluster{Path: "sink.kafka"}, placement: placement{inputs: inputs, outputs: outputs}}
	return &Preview{sink: s, placer: partitioner(&s.short), topics: map[string]kgo.TopicPartitioner{}}
}

// Records are the block's records with their topics and partitions, one for each output, and the outputs that are refused.
// One goroutine may call it.
func (p *Preview) Records(block *record.Block) ([]kgo.Record, []sink.Rejection) {
	ship := &shipment{block: block, records: make([]kgo.Record, block.Len())}
	if refused := p.sink.pack(ship, nil); len(refused) > 0 {
		return nil, refused
	}
	for i := range ship.records {
		r := &ship.records[i]
		if r.Topic == "" { // refused before, and passed over
			continue
		}
		if p.topics[r.Topic] == nil {
			p.topics[r.Topic] = p.placer.ForTopic(r.Topic)
		}
		r.Partition = int32(p.topics[r.Topic].Partition(r, p.sink.placement.outputs[r.Topic]))
	}
	return ship.records, nil
}
