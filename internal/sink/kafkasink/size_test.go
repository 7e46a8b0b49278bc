package kafkasink

import (
	"errors"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"

	"streamer/internal/record"
)

// The client is the model: what it takes is not too large, and, once it knows the broker, nothing else is.
func TestTooLargeIsWhatTheClientRefuses(t *testing.T) {
	const limit = minMessageBytes
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "out"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.DefaultProduceTopic("out"),
		kgo.ProducerBatchMaxBytes(limit), kgo.ProducerLinger(0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	if err := client.ProduceSync(t.Context(), &kgo.Record{}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	s := &Sink{cfg: Config{MaxMessageBytes: limit}}
	rapid.Check(t, func(rt *rapid.T) {
		out := &record.Output{Key: make([]byte, rapid.SampledFrom([]int{0, 1, 63, 64, 200}).Draw(rt, "key"))}
		for range rapid.IntRange(0, 70).Draw(rt, "headers") {
			out.Headers = append(out.Headers, kgo.RecordHeader{Key: "h", Value: make([]byte, 4)})
		}
		// Room for the value if its length takes two bytes, as that of the whole record does.
		room := limit - batchSize(out) - 1 - 1
		out.Value = make([]byte, max(0, room+rapid.IntRange(-4, 4).Draw(rt, "over")))
		err := client.ProduceSync(t.Context(), &kgo.Record{Key: out.Key, Value: out.Value, Headers: out.Headers}).FirstErr()
		refused := errors.Is(err, kerr.MessageTooLarge)
		if err != nil && !refused {
			rt.Fatal(err)
		}
		if s.tooLarge(out) != refused {
			rt.Fatalf("too large: %t at %d bytes of %d, refused by the client: %t", !refused, batchSize(out), limit, refused)
		}
	})
}
