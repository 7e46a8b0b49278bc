package kafkasink_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"go.uber.org/goleak"

	"streamer/internal/record"
	"streamer/internal/setting"
	"streamer/internal/sink"
	"streamer/internal/sink/kafkasink"
	"streamer/internal/sink/sinktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T) {
	sinktest.Run(t, func(t *testing.T) sinktest.Harness {
		b := newBroker(t, 3)
		return sinktest.Harness{
			Sink:      b.sink(t, config()),
			Delivered: b.delivered,
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

// persist writes as the service does: it retries what is retryable.
func persist(t *testing.T, s sink.Sink, batch *record.Batch) {
	t.Helper()
	cfg := sink.Config{Retry: sink.Retry{Min: setting.Duration(5 * time.Millisecond), Max: setting.Duration(50 * time.Millisecond)}}
	w := sink.NewWriter(s, cfg, slog.New(slog.DiscardHandler), sink.NewMetrics(prometheus.NewRegistry()))
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

func TestAMissingTopicFailsWithTheRemedy(t *testing.T) {
	b := newBroker(t, 0)
	_, err := kafkasink.New(t.Context(), config(), b.cluster(), slog.New(slog.DiscardHandler))
	missing, ok := errors.AsType[*kafkasink.MissingTopicError](err)
	if !ok || missing.Topic != "out" || !strings.Contains(err.Error(), "sink.kafka.create") {
		t.Errorf("New = %v, want a MissingTopicError with its remedy", err)
	}
}

func TestAMissingTopicIsCreated(t *testing.T) {
	b := newBroker(t, 0)
	cfg := config()
	cfg.Create = &kafkasink.CreateConfig{Partitions: 5, ReplicationFactor: 1}
	write(t, b.sink(t, cfg), sinktest.Batch(1, sinktest.Numbered(0, 0, 10)))
	admin := kadm.NewClient(b.client(t))
	defer admin.Close()
	topics, err := admin.ListTopics(t.Context(), "out")
	if err != nil || len(topics["out"].Partitions) != 5 {
		t.Errorf("topic out has %d partitions, %v; want 5", len(topics["out"].Partitions), err)
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
	permanent, ok := errors.AsType[*sink.PermanentError](err)
	if !ok || !errors.Is(err, kerr.MessageTooLarge) || permanent.Origin == nil || permanent.Origin.String() != "in/0@41" {
		t.Fatalf("Write = %v, want a permanent MESSAGE_TOO_LARGE at in/0@41", err)
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
		{kerr.MessageTooLarge, sink.Permanent},
		{kerr.InvalidRecord, sink.Permanent},
		{kerr.InvalidTimestamp, sink.Permanent},
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

// kgo keeps a refused producer id for ever; only a new client gets on.
func TestARefusedProducerIDIsNotForEver(t *testing.T) {
	b := newBroker(t, 1)
	s := b.sink(t, config())
	heal := b.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.InitProducerID}, Err: kerr.ClusterAuthorizationFailed, Count: -1, TopLevel: true,
	}).Remove
	batch := sinktest.Batch(1, sinktest.Numbered(0, 0, 10))
	for range 2 {
		if err := s.Write(t.Context(), batch); sink.Classify(err) != sink.Retryable {
			t.Fatalf("Write = %v, want a retryable error", err)
		}
	}
	heal()
	write(t, s, batch)
	if got := b.records(t); len(got) != 10 {
		t.Errorf("%d records arrived, want 10", len(got))
	}
}

// Only what was not acknowledged goes again: no partition's records twice because another partition failed.
func TestARetryLeavesOutWhatHasArrived(t *testing.T) {
	b := newBroker(t, 2)
	s := b.sink(t, config())
	heal := b.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Produce}, Partitions: []int32{1}, Err: kerr.TopicAuthorizationFailed, Count: -1,
	}).Remove
	batch := sinktest.Batch(1, sinktest.Numbered(0, 0, 10), sinktest.Numbered(1, 0, 10))
	for range 3 {
		if err := s.Write(t.Context(), batch); sink.Classify(err) != sink.Retryable {
			t.Fatalf("Write = %v, want a retryable error", err)
		}
	}
	heal()
	write(t, s, batch)
	if got := b.records(t); len(got) != 20 {
		t.Errorf("%d records arrived, want each of the 20 once", len(got))
	}
}

// The same within one block, whose records go to two partitions by their keys.
func TestARetryLeavesOutWhatHasArrivedOfABlock(t *testing.T) {
	b := newBroker(t, 2)
	b.inputs = map[string]int{"in": 1}
	s := b.sink(t, config())
	arrived := b.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Partitions: []int32{0}, Observe: true, Count: -1})
	refused := b.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Produce}, Partitions: []int32{1}, Err: kerr.TopicAuthorizationFailed, Count: -1,
	})
	batch := sinktest.Batch(1, sinktest.Numbered(0, 0, 100))
	for range 3 {
		if err := s.Write(t.Context(), batch); sink.Classify(err) != sink.Retryable {
			t.Fatalf("Write = %v, want a retryable error", err)
		}
	}
	if arrived.Hits() == 0 {
		t.Fatal("nothing went to partition 0; the test tests nothing")
	}
	refused.Remove()
	write(t, s, batch)
	if got := b.records(t); len(got) != 100 {
		t.Errorf("%d records arrived, want each of the 100 once", len(got))
	}
}

// What an abandoned Write left in the client stands before the next batch's records, and fails with them.
func TestAnAbandonedBlockDoesNotTakeTheNextWithIt(t *testing.T) {
	b := newBroker(t, 1)
	b.inputs = map[string]int{"in": 2}
	s := b.sink(t, config())
	stuck := b.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotLeaderForPartition, Count: -1})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Write(ctx, sinktest.Batch(1, sinktest.Numbered(0, 0, 10))) }()
	if err := stuck.Wait(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatalf("Write = %v, want context.Canceled", err)
	}
	stuck.Remove()
	write(t, s, sinktest.Batch(2, sinktest.Numbered(1, 0, 10)))
	var next int
	for _, r := range b.records(t) {
		if strings.Contains(string(r.Value), `"partition":1`) {
			next++
		}
	}
	if next != 10 {
		t.Errorf("%d records of the next batch arrived, want 10", next)
	}
}

// The brokers refuse with errors that kgo retries without a word, and are sure of nothing.
func TestAbandonedWritesAreTakenUpAgain(t *testing.T) {
	b := newBroker(t, 2)
	s := b.sink(t, config())
	stuck := b.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Produce}, Partitions: []int32{0}, Err: kerr.RequestTimedOut, Count: -1, // sure of nothing
	})
	ctx, cancel := context.WithCancel(t.Context())
	leaves, stays := sinktest.Numbered(0, 0, 10), sinktest.Numbered(1, 0, 10)
	done := make(chan error, 1)
	go func() { done <- s.Write(ctx, sinktest.Batch(1, leaves, stays)) }()
	if err := stuck.Wait(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatalf("Write = %v, want context.Canceled", err)
	}
	// The stuck partition has left the batch; what stays must not wait for it.
	write(t, s, sinktest.Batch(1, stays))
	stuck.Remove()
	write(t, s, sinktest.Batch(2, leaves))
	var seen [2]int
	for _, r := range b.records(t) {
		seen[r.Partition]++
	}
	if seen[1] != 10 || seen[0] < 10 {
		t.Errorf("%v records arrived, want at least 10 and exactly 10", seen)
	}
}

func TestWaitingTellsThatNoBrokerIsThere(t *testing.T) {
	b := newBroker(t, 1)
	s := b.sink(t, config())
	write(t, s, sinktest.Batch(1, sinktest.Numbered(0, 0, 1)))
	b.Close()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Write(ctx, sinktest.Batch(2, sinktest.Numbered(0, 1, 1))) }()
	var err error
	for err == nil && ctx.Err() == nil {
		err = s.Waiting()
	}
	if !strings.Contains(err.Error(), "connect to broker 127.0.0.1") && !strings.Contains(err.Error(), "request to broker") {
		t.Errorf("Waiting() = %v, want the broker and the reason", err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Write = %v, want context.Canceled", err)
	}
	if err := s.Waiting(); err != nil {
		t.Errorf("Waiting() with no Write under way = %v", err)
	}
}

// Bad credentials fail the start; in the middle of a run they are waited for, loudly.
func TestRefusedLogin(t *testing.T) {
	b := newBroker(t, 1, kfake.EnableSASL(), kfake.Superuser("PLAIN", "right", "secret"))
	login := func(user string) kgo.Opt { return kgo.SASL(plain.Auth{User: user, Pass: "secret"}.AsMechanism()) }
	if _, err := kafkasink.New(t.Context(), config(), b.cluster(login("wrong")), slog.New(slog.DiscardHandler)); err == nil {
		t.Error("New with a wrong user succeeded")
	}
	s, err := kafkasink.New(t.Context(), config(), b.cluster(login("right")), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	refused := b.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.SASLAuthenticate}, Err: kerr.SaslAuthenticationFailed, Count: -1, TopLevel: true,
	})
	w := sink.NewWriter(s, sink.DefaultConfig(), slog.New(slog.DiscardHandler), sink.NewMetrics(prometheus.NewRegistry()))
	batch := sinktest.Batch(1, sinktest.Numbered(0, 0, 10)) // needs a new connection, for producing
	done := make(chan error, 1)
	go func() { done <- w.Write(t.Context(), batch) }()
	if err := refused.Wait(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	for w.State().Activity != sink.Retrying && t.Context().Err() == nil {
		runtime.Gosched()
	}
	if err := w.State().Err; !errors.Is(err, kerr.SaslAuthenticationFailed) {
		t.Errorf("State() = %v, want SASL_AUTHENTICATION_FAILED", err)
	}
	refused.Remove()
	if err := <-done; err != nil {
		t.Errorf("Write after the login works again: %v", err)
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

func TestATopicDeletedInTheMiddle(t *testing.T) {
	for _, create := range []bool{false, true} {
		b := newBroker(t, 1)
		cfg := config()
		if create {
			cfg.Create = &kafkasink.CreateConfig{Partitions: 1, ReplicationFactor: 1}
		}
		s := b.sink(t, cfg)
		write(t, s, sinktest.Batch(1, sinktest.Numbered(0, 0, 1)))
		admin := kadm.NewClient(b.client(t))
		if _, err := admin.DeleteTopic(t.Context(), "out"); err != nil {
			t.Fatal(err)
		}
		admin.Close()
		batch := sinktest.Batch(2, sinktest.Numbered(0, 1, 1))
		if create {
			persist(t, s, batch)
			continue
		}
		if err := s.Write(t.Context(), batch); sink.Classify(err) != sink.Permanent {
			t.Errorf("Write = %v (%s), want a permanent error", err, sink.Classify(err))
		}
	}
}

func TestConfigValidate(t *testing.T) {
	if faults := config().Validate(); len(faults) != 0 {
		t.Errorf("the default with a topic is faulty: %v", faults)
	}
	bad := kafkasink.Config{
		Topic: "no spaces", Compression: "brotli", MaxMessageBytes: 1,
		Create: &kafkasink.CreateConfig{Partitions: 0, ReplicationFactor: -2},
	}
	want := []string{"topic", "compression", "max_message_bytes", "create.partitions", "create.replication_factor"}
	faults := bad.Validate()
	if len(faults) != len(want) {
		t.Fatalf("Validate() = %v, want a fault for each of %v", faults, want)
	}
	for i, fault := range faults {
		if fault.Field != "sink.kafka."+want[i] {
			t.Errorf("fault %d is about %s, want sink.kafka.%s", i, fault.Field, want[i])
		}
	}
	if faults := kafkasink.DefaultConfig().Validate(); len(faults) != 1 || faults[0].Field != "sink.kafka.topic" {
		t.Errorf("Validate() without a topic = %v", faults)
	}
}
