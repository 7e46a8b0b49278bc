package kafkasink

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A record that the client has not placed yet may belong behind a refused one of its topic.
func TestWhatIsNotPlacedWaitsForItsTopic(t *testing.T) {
	s := &Sink{paces: map[place]*pace{{"out", 1}: {window: 1}}}
	for _, test := range []struct {
		name  string
		r     kgo.Record
		holds bool
	}{
		{"not placed", kgo.Record{Topic: "out", Partition: -1}, true},
		{"not placed, another topic", kgo.Record{Topic: "side", Partition: -1}, false},
		{"another partition", kgo.Record{Topic: "out", Partition: 0}, false},
		{"another topic", kgo.Record{Topic: "side", Partition: 1}, false},
		{"within the window", kgo.Record{Topic: "out", Partition: 1}, false},
		{"past the window", kgo.Record{Topic: "out", Partition: 1}, true},
	} {
		if got := s.holds(&test.r); got != test.holds {
			t.Errorf("%s: held back: %t, want %t", test.name, got, test.holds)
		}
	}
}
