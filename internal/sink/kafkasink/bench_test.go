package kafkasink_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"streamer/internal/record"
	"streamer/internal/sink/sinktest"
)

// BenchmarkWrite is the cost of a record in the sink and its client; the broker drops what it gets.
func BenchmarkWrite(b *testing.B) {
	for name, inputs := range map[string]int{"same_partition": 8, "by_key": 5} {
		b.Run(name, func(b *testing.B) {
			broker := newBroker(b, 8, kfake.BlackholeProduce())
			broker.inputs = map[string]int{"in": inputs}
			s := broker.sink(b, config())
			const perBlock = 2000
			var blocks []*record.Block
			for partition := range int32(5) {
				blocks = append(blocks, sinktest.Numbered(partition, 0, perBlock))
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
