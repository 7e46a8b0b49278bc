package kafkasink_test

import (
	"testing"

	"streamer/internal/sink/kafkasink"
)

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
