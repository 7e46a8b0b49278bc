package setting_test

import (
	"testing"

	"streamer/internal/setting"
)

func TestFaultError(t *testing.T) {
	t.Parallel()
	for want, fault := range map[string]setting.Fault{
		`block.interval: "200" has no unit; write 200ms`: {"block.interval", "200", "has no unit; write 200ms"},
		`source.kafka.group: is missing`:                 {Field: "source.kafka.group", Remedy: "is missing"},
		`"200" has no unit`:                              {Value: "200", Remedy: "has no unit"},
	} {
		if got := fault.Error(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	keys := []string{"interval", "max_records", "max_bytes", "topic", "topics", "brokers", "on_error"}
	for word, want := range map[string]string{
		"intervall": "interval", "maxRecords": "max_records", "MAX-BYTES": "max_bytes", "topcis": "topics",
		"topic": "topic", "broker": "brokers", "onerror": "on_error", "colour": "", "x": "", "": "",
	} {
		if got, found := setting.Nearest(word, keys); got != want || found != (want != "") {
			t.Errorf("Nearest(%q) = %q, %v; want %q", word, got, found, want)
		}
	}
}
