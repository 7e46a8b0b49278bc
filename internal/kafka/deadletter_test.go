package kafka

import (
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func deadHeaders(own ...kgo.RecordHeader) []kgo.RecordHeader {
	values := []string{"orders", "3", "42", "1790000000123", "decode", "steps[0].filter", "why", "g", "v1"}
	for i, name := range DeadLetterHeaders() {
		own = append(own, kgo.RecordHeader{Key: name, Value: []byte(values[i])})
	}
	return own
}

// A record's own headers stay, also of the same names: only the last nine are Streamer's.
func TestReadDeadLetter(t *testing.T) {
	t.Parallel()
	got, err := ReadDeadLetter(deadHeaders(deadHeaders(kgo.RecordHeader{Key: "a"})...))
	if err != nil {
		t.Fatal(err)
	}
	if got.Topic != "orders" || got.Partition != 3 || got.Offset != 42 || !got.Timestamp.Equal(time.UnixMilli(1790000000123)) ||
		got.Class != "decode" || got.Step != "steps[0].filter" || len(got.Own) != 10 || got.Own[9].Key != HeaderVersion {
		t.Errorf("read %+v", got)
	}
	_ = append(got.Own, kgo.RecordHeader{Key: "x"})
	if again, err := ReadDeadLetter(deadHeaders()); err != nil || again.Own == nil && again.Topic == "" {
		t.Errorf("read %+v, %v", again, err)
	}
}

func TestReadBrokenDeadLetter(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		spoil func([]kgo.RecordHeader) []kgo.RecordHeader
		want  string
	}{
		{"none", func([]kgo.RecordHeader) []kgo.RecordHeader { return nil }, "it has 0 headers, a dead letter of Streamer has 9 or more"},
		{"one is gone", func(h []kgo.RecordHeader) []kgo.RecordHeader { return h[:len(h)-1] }, `header "own" stands where a dead letter has streamer-source-topic`},
		{"behind", func(h []kgo.RecordHeader) []kgo.RecordHeader { return append(h, kgo.RecordHeader{Key: "x"}) }, `header "streamer-source-partition" stands where`},
		{"partition", set(1, "-1"), "header streamer-source-partition is not a number from 0"},
		{"wide partition", set(1, "2147483648"), "header streamer-source-partition is not a number from 0"},
		{"offset", set(2, "x"), "header streamer-source-offset is not a number from 0"},
		{"timestamp", set(3, ""), "header streamer-source-timestamp is not a number"},
		{"topic", set(0, "a/b"), "header streamer-source-topic is not a topic name"},
	} {
		if _, err := ReadDeadLetter(test.spoil(deadHeaders(kgo.RecordHeader{Key: "own"}))); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		}
	}
}

// set gives the nth of the letter's headers another value.
func set(n int, value string) func([]kgo.RecordHeader) []kgo.RecordHeader {
	return func(h []kgo.RecordHeader) []kgo.RecordHeader {
		h[1+n].Value = []byte(value)
		return h
	}
}
