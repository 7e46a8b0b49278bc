package kafkasink_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"streamer/internal/record"
	"streamer/internal/sink/sinktest"
)

// BenchmarkWrite is the cost of a record in the sink and its client; the broker drops what it gets.
func BenchmarkWrite(b *testing.B) {
	for _, bench := range []struct {
		name   string
		inputs int
		to     []*record.Destination // of the records, in turn
	}{
		{"same_partition", 8, []*record.Destination{nil}},
		{"by_key", 5, []*record.Destination{nil}},
		{"routed", 8, []*record.Destination{nil, {Topic: "a", Partition: -1, ByKey: true}, {Topic: "b", Partition: 3}}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			broker := newBroker(b, 8, kfake.BlackholeProduce(), kfake.SeedTopics(8, "a", "b"))
			broker.inputs = map[string]int{"in": bench.inputs}
			cfg := config()
			cfg.Topics = []string{"a", "b"}
			s := broker.sink(b, cfg)
			const perBlock = 2000
			var blocks []*record.Block
			for partition := range int32(5) {
				block := sinktest.Numbered(partition, 0, perBlock)
				for i := range block.Out {
					block.Out[i].To = bench.to[i%len(bench.to)]
				}
				blocks = append(blocks, block)
			}
			batch := sinktest.Batch(1, blocks...)
			b.ReportAllocs()
			for b.Loop() {
				if err := s.Write(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*5*perBlock), "ns/record")
		})
	}
}
