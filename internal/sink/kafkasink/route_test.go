package kafkasink_test

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/record"
	"streamer/internal/sink"
	"streamer/internal/sink/kafkasink"
	"streamer/internal/sink/sinktest"
)

// routing is a broker with input "in" and topic "out" of 8 partitions each, and topics "same" of 8 and "few" of 3, to which
// its sink may route.
func routing(t *testing.T) (*broker, *kafkasink.Sink) {
	t.Helper()
	b := newBroker(t, 8, kfake.SeedTopics(8, "same"), kfake.SeedTopics(3, "few"))
	cfg := config()
	cfg.Topics = []string{"same", "few"}
	return b, b.sink(t, cfg)
}

func TestRoutedPlacement(t *testing.T) {
	key := []byte("21") // murmur2of21
	for _, test := range []struct {
		name  string
		to    *record.Destination
		key   []byte
		topic string
		wants int32
	}{
		{"no destination", nil, key, "out", 5},
		{"a topic of the same count keeps the partition", &record.Destination{Topic: "same", Partition: -1}, key, "same", 5},
		{"another count goes by key", &record.Destination{Topic: "few", Partition: -1}, key, "few", murmur2of21 % 3},
		{"another count without a key", &record.Destination{Topic: "few", Partition: -1}, nil, "few", 2},
		{"by key with the same count", &record.Destination{Topic: "same", Partition: -1, ByKey: true}, key, "same", murmur2of21 % 8},
		{"by key without a key", &record.Destination{Topic: "same", Partition: -1, ByKey: true}, nil, "same", 5},
		{"by key to the sink's own topic", &record.Destination{Partition: -1, ByKey: true}, key, "out", murmur2of21 % 8},
		{"the sink's own topic by name", &record.Destination{Topic: "out", Partition: -1}, key, "out", 5},
		{"a partition", &record.Destination{Topic: "few", Partition: 1}, key, "few", 1},
		{"a partition wins over the key", &record.Destination{Topic: "same", Partition: 7, ByKey: true}, key, "same", 7},
		{"a partition of the sink's own topic", &record.Destination{Partition: 0}, key, "out", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, s := routing(t)
			write(t, s, sinktest.Batch(1, sinktest.Block(5, 0, record.Output{Key: test.key, Value: []byte("v"), To: test.to})))
			if got := b.topic(t, test.topic); len(got) != 1 || got[0].Partition != test.wants {
				t.Errorf("arrived in %s: %+v, want one record in partition %d", test.topic, got, test.wants)
			}
		})
	}
}

// What is merged from several input partitions comes from none of them.
func TestMergedRecordsArePlacedByKey(t *testing.T) {
	b, s := routing(t)
	write(t, s, sinktest.Batch(1, sinktest.Numbered(3, 0, 1), sinktest.Merged(
		record.Output{Key: []byte("21"), Value: []byte("out")},
		record.Output{Value: []byte("no key")},
		record.Output{Key: []byte("21"), Value: []byte("routed"), To: &record.Destination{Topic: "same", Partition: -1}},
	)))
	got := map[string]int32{}
	for _, r := range append(b.records(t), b.topic(t, "same")...) {
		got[string(r.Value)] = r.Partition
	}
	if got["out"] != murmur2of21%8 || got["no key"] != 0 || got["routed"] != murmur2of21%8 {
		t.Errorf("placed: %v, want by key", got)
	}
	if b.looked != 1 {
		t.Errorf("the partitions were counted %d times, want once, at the start", b.looked)
	}
}

func TestMergedRecordsThatAreRefusedHaveNoOrigin(t *testing.T) {
	_, s := routing(t)
	err := s.Write(t.Context(), sinktest.Batch(1, sinktest.Merged(record.Output{Value: make([]byte, 2<<20)})))
	if sink.Classify(err) != sink.Permanent {
		t.Errorf("Write = %v (%s), want a permanent error", err, sink.Classify(err))
	}
}

func TestDestinationsThatAreNoneAreRefused(t *testing.T) {
	for _, test := range []struct {
		name   string
		own    string
		to     *record.Destination
		remedy string
	}{
		{"a topic that is not listed", "out", &record.Destination{Topic: "secret", Partition: -1}, "not in sink.kafka.topics"},
		{"a partition that is not there", "out", &record.Destination{Topic: "few", Partition: 3}, "topic few does not have; it has 3"},
		{"none, and no topic of the sink's own", "", nil, "there is no sink.kafka.topic"},
		{"a partition of no topic", "", &record.Destination{Partition: 1}, "there is no sink.kafka.topic"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBroker(t, 8, kfake.SeedTopics(3, "few"), kfake.SeedTopics(1, "secret"))
			cfg := config()
			cfg.Topic, cfg.Topics = test.own, []string{"few"}
			s := b.sink(t, cfg)
			few := &record.Destination{Topic: "few", Partition: 2}
			block := sinktest.Block(5, 40,
				record.Output{Value: []byte("a"), To: few}, record.Output{Value: []byte("b"), To: test.to},
				record.Output{Value: []byte("c"), To: few}, record.Output{Value: []byte("d"), To: test.to})
			batch := sinktest.Batch(1, block)
			err := s.Write(t.Context(), batch)
			rejected, ok := errors.AsType[*sink.RejectedError](err)
			if !ok || len(rejected.Records) != 2 || rejected.Records[0].TooLarge ||
				rejected.Records[0].Origin().String() != "in/5@41" || rejected.Records[1].Origin().String() != "in/5@43" {
				t.Fatalf("Write = %v, want in/5@41 and in/5@43 refused", err)
			}
			if text := err.Error(); !strings.Contains(text, test.remedy) || strings.Contains(text, "secret") {
				t.Errorf("error %q, want %q in it and nothing of the record's", text, test.remedy)
			}
			if got := b.topic(t, "few"); len(got) != 0 {
				t.Fatalf("%d records arrived before the refused ones were dealt with", len(got))
			}
			block.Refuse(1)
			block.Refuse(3)
			write(t, s, batch)
			if got := values(b.topic(t, "few")); !slices.Equal(got, []string{"a", "c"}) {
				t.Errorf("arrived: %q, want a and c", got)
			}
			if got := b.topic(t, "secret"); len(got) != 0 {
				t.Errorf("%d records arrived in a topic that is not listed", len(got))
			}
		})
	}
}

func values(records []*kgo.Record) []string {
	all := make([]string, len(records))
	for i, r := range records {
		all[i] = string(r.Value)
	}
	return all
}

// A partition that was not there at the start is looked for once more before the record is refused.
func TestARoutedTopicThatHasGrown(t *testing.T) {
	b, s := routing(t)
	admin := kadm.NewClient(b.client(t))
	defer admin.Close()
	if _, err := admin.UpdatePartitions(t.Context(), 5, "few"); err != nil {
		t.Fatal(err)
	}
	to := &record.Destination{Topic: "few", Partition: 4}
	persist(t, s, sinktest.Batch(1, sinktest.Block(0, 0, record.Output{Value: []byte("v"), To: to})))
	if got := b.topic(t, "few"); len(got) != 1 || got[0].Partition != 4 {
		t.Errorf("arrived: %+v, want one record in partition 4", got)
	}
}

func TestEveryListedTopicIsCheckedAtTheStart(t *testing.T) {
	b := newBroker(t, 1)
	cfg := config()
	cfg.Topics = []string{"one", "two"}
	_, err := kafkasink.New(t.Context(), cfg, b.cluster(), slog.New(slog.DiscardHandler))
	missing, ok := errors.AsType[*kafkasink.MissingTopicError](err)
	if !ok || !slices.Equal(missing.Topics, cfg.Topics) || !strings.Contains(err.Error(), "sink.kafka.topics: topics one, two") {
		t.Errorf("New = %v, want both missing topics named", err)
	}
	cfg.Create = &kafkasink.CreateConfig{Partitions: 4, ReplicationFactor: 1}
	s := b.sink(t, cfg)
	to := &record.Destination{Topic: "two", Partition: 3}
	write(t, s, sinktest.Batch(1, sinktest.Block(0, 0, record.Output{Value: []byte("v"), To: to})))
	if got := b.topic(t, "two"); len(got) != 1 || got[0].Partition != 3 {
		t.Errorf("arrived: %+v, want one record in partition 3", got)
	}
}

func TestARoutedTopicDeletedInTheMiddle(t *testing.T) {
	for _, create := range []bool{false, true} {
		b := newBroker(t, 1, kfake.SeedTopics(1, "side"))
		cfg := config()
		cfg.Topics = []string{"side"}
		if create {
			cfg.Create = &kafkasink.CreateConfig{Partitions: 1, ReplicationFactor: 1}
		}
		s := b.sink(t, cfg)
		batch := func(id int64) *record.Batch {
			block := sinktest.Numbered(0, id*2, 2)
			block.Out[1].To = &record.Destination{Topic: "side", Partition: -1}
			return sinktest.Batch(uint64(id), block)
		}
		write(t, s, batch(0))
		admin := kadm.NewClient(b.client(t))
		if _, err := admin.DeleteTopic(t.Context(), "side"); err != nil {
			t.Fatal(err)
		}
		admin.Close()
		if create {
			persist(t, s, batch(1))
			if got := b.topic(t, "side"); len(got) != 1 {
				t.Errorf("%d records arrived in the topic that was created again, want 1", len(got))
			}
			continue
		}
		err := s.Write(t.Context(), batch(1))
		if sink.Classify(err) != sink.Permanent || !strings.Contains(err.Error(), "topic side") {
			t.Errorf("Write = %v (%s), want a permanent error about topic side", err, sink.Classify(err))
		}
	}
}
