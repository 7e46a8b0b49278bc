package kafkasink_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/goleak"

	"streamer/internal/record"
	"streamer/internal/sink"
	"streamer/internal/sink/sinktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T) {
	sinktest.Run(t, func(t *testing.T) sinktest.Harness {
		b := newBroker(t, 3, kfake.SeedTopics(3, "same"), kfake.SeedTopics(2, "fewer"))
		cfg := config()
		cfg.Topics = []string{"same", "fewer"}
		return sinktest.Harness{
			Sink:      b.sink(t, cfg),
			Delivered: b.delivered,
			Topics:    cfg.Topics,
			Routed:    b.routed,
			Refusable: func() []byte { return make([]byte, 2<<20) },
			Break:     func() func() { return b.refuse(kerr.TopicAuthorizationFailed) },
			Keeps:     sinktest.Keeps{Key: true, Headers: true, Timestamp: true},
		}
	})
}

func write(t *testing.T, s sink.Sink, batch *record.Batch) {
	t.Helper()
	if err := s.Write(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
}

func TestATooLargeRecordNamesItself(t *testing.T) {
	b := newBroker(t, 1)
	batch := sinktest.Batch(1, sinktest.Block(0, 40,
		record.Output{Value: []byte("fits")},
		record.Output{Value: make([]byte, 2<<20)},
		record.Output{Value: []byte("fits too")},
	))
	err := b.sink(t, config()).Write(t.Context(), batch)
	rejected, ok := errors.AsType[*sink.RejectedError](err)
	if !ok || !errors.Is(err, kerr.MessageTooLarge) || len(rejected.Records) != 1 || !rejected.Records[0].TooLarge ||
		rejected.Records[0].Origin().String() != "in/0@41" {
		t.Fatalf("Write = %v, want MESSAGE_TOO_LARGE at in/0@41", err)
	}
	if !strings.Contains(err.Error(), "sink.kafka.max_message_bytes (1MiB)") {
		t.Errorf("error %q has no remedy", err)
	}
}

func TestClasses(t *testing.T) {
	for _, test := range []struct {
		err  *kerr.Error
		want sink.Class
	}{
		{kerr.TopicAuthorizationFailed, sink.Retryable},
		{kerr.ClusterAuthorizationFailed, sink.Retryable},
		{kerr.UnknownServerError, sink.Retryable},
		{kerr.MessageTooLarge, sink.Rejected},
		{kerr.InvalidRecord, sink.Rejected},
		{kerr.InvalidTimestamp, sink.Rejected},
		{kerr.PolicyViolation, sink.Permanent},
		{kerr.UnsupportedCompressionType, sink.Permanent},
	} {
		t.Run(test.err.Message, func(t *testing.T) {
			b := newBroker(t, 1)
			s := b.sink(t, config())
			heal := b.refuse(test.err)
			err := s.Write(t.Context(), sinktest.Batch(1, sinktest.Numbered(0, 0, 3)))
			heal()
			if sink.Classify(err) != test.want || !errors.Is(err, test.err) {
				t.Errorf("Write = %v (%s), want %s", err, sink.Classify(err), test.want)
			}
		})
	}
}

func TestCompressionAndOptions(t *testing.T) {
	for _, compression := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		b := newBroker(t, 1)
		cfg := config()
		cfg.Compression = compression
		write(t, b.sink(t, cfg), sinktest.Batch(1, sinktest.Numbered(0, 0, 1000)))
		got := b.records(t)
		codes := map[string]uint8{"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
		if len(got) != 1000 || got[0].Attrs.CompressionType() != codes[compression] {
			t.Errorf("%s: %d records arrived, compression type %d", compression, len(got), got[0].Attrs.CompressionType())
		}
	}
}
