package sinktest

import (
	"testing"

	"streamer/internal/record"
)

// routes sends a partition's records to all topics in turn, the sink's own among them: each has its own, in order.
func routes(t *testing.T, h Harness) {
	if h.Topics == nil {
		t.Skip("this kind of sink does not route")
	}
	const rounds = 20
	turns := int64(len(h.Topics) + 1)
	block := Numbered(1, 0, int(turns)*rounds)
	for i := range block.Out {
		if turn := i % int(turns); turn > 0 {
			block.Out[i].To = &record.Destination{Topic: h.Topics[turn-1], Partition: -1}
		}
	}
	if err := h.Sink.Write(testContext(t), Batch(1, block)); err != nil {
		t.Fatal(err)
	}
	check := func(topic string, turn int64, arrived []Delivered) {
		t.Helper()
		last := map[string]int64{}
		for i, p := range positions(t, arrived) {
			key := string(arrived[i].Key)
			if before, seen := last[key]; p.Offset%turns != turn || seen && p.Offset < before {
				t.Errorf("topic %q: offset %d arrived after %d", topic, p.Offset, before)
			}
			last[key] = p.Offset
		}
		if len(arrived) != rounds {
			t.Errorf("topic %q: %d records arrived, want %d", topic, len(arrived), rounds)
		}
	}
	check("", 0, h.Delivered(t))
	for i, topic := range h.Topics {
		check(topic, int64(i)+1, h.Routed(t, topic))
	}
}
