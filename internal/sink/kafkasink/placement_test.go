package kafkasink_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"

	"streamer/internal/record"
	"streamer/internal/setting"
	"streamer/internal/sink"
	"streamer/internal/sink/sinktest"
)

// persist writes as the service does: it retries what is retryable.
func persist(t *testing.T, s sink.Sink, batch *record.Batch) {
	t.Helper()
	cfg := sink.Config{Retry: sink.Retry{Min: setting.Duration(5 * time.Millisecond), Max: setting.Duration(50 * time.Millisecond)}}
	w := sink.NewWriter(s, cfg, slog.New(slog.DiscardHandler), sink.NewMetrics(prometheus.NewRegistry(), "sink"))
	if err := w.Write(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
}

func TestPlacement(t *testing.T) {
	for _, test := range []struct {
		name        string
		input       int
		output      int32
		key         string
		from, wants int32
	}{
		{"same count keeps the partition", 8, 8, "whatever", 5, 5},
		{"same count keeps the partition without a key", 8, 8, "", 5, 5},
		// As Kafka's Java client places it: Utils.toPositive(Utils.murmur2("21")) % n.
		{"other count goes by murmur2 of the key", 8, 3, "21", 5, murmur2of21 % 3},
		{"other count without a key goes by the input partition", 8, 3, "", 5, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBroker(t, test.output)
			b.inputs = map[string]int{"in": test.input}
			out := record.Output{Value: []byte("v")}
			if test.key != "" {
				out.Key = []byte(test.key)
			}
			write(t, b.sink(t, config()), sinktest.Batch(1, sinktest.Block(test.from, 0, out)))
			if got := b.records(t); len(got) != 1 || got[0].Partition != test.wants {
				t.Errorf("arrived: %+v, want one record in partition %d", got, test.wants)
			}
		})
	}
}

// murmur2of21 is murmur2("21") as Apache Kafka's UtilsTest states it, -973932308, made positive as Utils.toPositive does.
const murmur2of21 = -973932308 & 0x7fffffff

func TestInputThatGrowsIsPlacedAnew(t *testing.T) {
	b := newBroker(t, 2)
	s := b.sink(t, config())
	write(t, s, sinktest.Batch(1, sinktest.Numbered(1, 0, 1)))
	admin := kadm.NewClient(b.client(t))
	defer admin.Close()
	if _, err := admin.UpdatePartitions(t.Context(), 4, "out"); err != nil {
		t.Fatal(err)
	}
	b.inputs = map[string]int{"in": 4, "new": 3}
	batch := sinktest.Batch(2, sinktest.Numbered(3, 0, 1))
	persist(t, s, batch) // until the client has seen the new partitions, a retryable error
	for _, r := range b.records(t) {
		if r.Partition != 1 && r.Partition != 3 {
			t.Errorf("record %s arrived in partition %d, want the one it came from", r.Value, r.Partition)
		}
	}
}
