package kafkasink_test

import (
	"slices"
	"testing"

	"streamer/internal/sink/kafkasink"
)

func TestConfigValidate(t *testing.T) {
	if faults := config().Validate(); len(faults) != 0 {
		t.Errorf("the default with a topic is faulty: %v", faults)
	}
	bad := kafkasink.Config{
		Topic: "no spaces", Topics: []string{"a", "..", "", "a"}, Compression: "brotli", MaxMessageBytes: 1,
		Create: &kafkasink.CreateConfig{Partitions: 0, ReplicationFactor: -2},
	}
	want := []string{
		"topic", "topics", "topics", "topics", "compression", "max_message_bytes", "create.partitions", "create.replication_factor",
	}
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
	routed := kafkasink.DefaultConfig()
	routed.Topics = []string{"a"}
	if faults := routed.Validate(); len(faults) != 0 {
		t.Errorf("Validate() with topics to route to and no other = %v", faults)
	}
}

func TestDestinationsAreListedOnce(t *testing.T) {
	for _, test := range []struct {
		topic        string
		topics, want []string
	}{
		{"out", nil, []string{"out"}},
		{"", []string{"a", "b"}, []string{"a", "b"}},
		{"out", []string{"a", "b"}, []string{"out", "a", "b"}},
		{"b", []string{"a", "b"}, []string{"a", "b"}},
	} {
		cfg := kafkasink.Config{Topic: test.topic, Topics: test.topics}
		if got := cfg.Destinations(); !slices.Equal(got, test.want) {
			t.Errorf("Destinations() of %q and %q = %q, want %q", test.topic, test.topics, got, test.want)
		}
	}
}
