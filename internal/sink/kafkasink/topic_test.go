package kafkasink_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"

	"streamer/internal/sink"
	"streamer/internal/sink/kafkasink"
	"streamer/internal/sink/sinktest"
)

func TestAMissingTopicFailsWithTheRemedy(t *testing.T) {
	b := newBroker(t, 0)
	_, err := kafkasink.New(t.Context(), config(), b.cluster(), slog.New(slog.DiscardHandler))
	missing, ok := errors.AsType[*kafkasink.MissingTopicError](err)
	if !ok || missing.Topics[0] != "out" || !strings.Contains(err.Error(), "sink.kafka.create") {
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

// A topic that is created again may have fewer partitions; what was placed by the old count is placed anew.
func TestATopicThatComesBackSmaller(t *testing.T) {
	b := newBroker(t, 4)
	cfg := config()
	cfg.Create = &kafkasink.CreateConfig{Partitions: 2, ReplicationFactor: 1}
	s := b.sink(t, cfg)
	write(t, s, sinktest.Batch(1, sinktest.Numbered(3, 0, 1)))
	admin := kadm.NewClient(b.client(t))
	defer admin.Close()
	if _, err := admin.DeleteTopic(t.Context(), "out"); err != nil {
		t.Fatal(err)
	}
	persist(t, s, sinktest.Batch(2, sinktest.Numbered(3, 1, 10)))
	if got := b.records(t); len(got) != 10 {
		t.Errorf("%d records arrived, want 10", len(got))
	}
}
