package integration_test

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/integration/ledger"
	"streamer/integration/service"
)

// TestPassThrough moves 8 × 200,000 records. It would catch a lost or doubled block, partitions that are merged out of
// order, records that leave their partition, and a commit that does not reach the end.
func TestPassThrough(t *testing.T) {
	t.Parallel()
	const partitions, each = 8, 200_000
	f := newFlow(t, partitions)
	f.fill(t, ledger.Each(partitions, each)...)
	s := binary.Start(t, f.config().With(service.Config{"block.interval": nil, "batch.interval": "500ms", "memory.budget": nil}))
	s.Until(t, "the group to catch up", f.caughtUp)
	s.Terminate(t)

	l := f.read(t)
	report := l.Check()
	if err := report.ExactlyOnce(); err != nil {
		t.Error(err)
	}
	if report.Produced != partitions*each {
		t.Errorf("%v: the test itself has lost records", report)
	}
	for lane, ids := range l.Delivered {
		if at := slices.IndexFunc(ids, func(id ledger.ID) bool { return ledger.Lane(id.Partition) != lane }); at >= 0 {
			t.Errorf("record %v is in output partition %s; with equal partition counts it keeps its partition", ids[at], lane)
		}
	}
}

// TestPassThroughKeepsBytes would catch a pass-through that turns null into empty, drops headers or stamps its own time.
func TestPassThroughKeepsBytes(t *testing.T) {
	t.Parallel()
	f := newFlow(t, 1)
	when := time.UnixMilli(1_700_000_000_123)
	sent := []*kgo.Record{
		{Key: []byte("key"), Value: []byte("value"), Timestamp: when},
		{Key: nil, Value: []byte{0, 0xff, '\n'}, Timestamp: when.Add(time.Millisecond)},
		{Key: []byte("tombstone"), Value: nil, Timestamp: when.Add(-time.Hour)},
		{Key: []byte{}, Value: []byte{}, Timestamp: when},
		{Value: []byte("headers"), Timestamp: when, Headers: []kgo.RecordHeader{
			{Key: "a", Value: []byte("1")}, {Key: "a", Value: []byte("2")}, {Key: "", Value: nil}, {Key: "z", Value: []byte{}},
		}},
	}
	for _, r := range sent {
		r.Topic = f.Topic
	}
	if err := f.broker.Client(t).ProduceSync(t.Context(), sent...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	s := binary.Start(t, f.config())
	s.Until(t, "the group to catch up", f.caughtUp)
	s.Terminate(t)

	var got []*kgo.Record
	ctx, cancel := context.WithTimeout(t.Context(), service.Patience)
	defer cancel()
	if err := ledger.ReadTopic(ctx, f.broker.Addrs, f.output, func(r *kgo.Record) { got = append(got, r) }); err != nil {
		t.Fatal(err)
	}
	if len(got) != len(sent) {
		t.Fatalf("%d records, want %d", len(got), len(sent))
	}
	same := func(a, b []byte) bool { return bytes.Equal(a, b) && (a == nil) == (b == nil) }
	for i, want := range sent {
		r := got[i]
		if !same(r.Key, want.Key) || !same(r.Value, want.Value) || !r.Timestamp.Equal(want.Timestamp) ||
			!slices.EqualFunc(r.Headers, want.Headers, func(a, b kgo.RecordHeader) bool {
				return a.Key == b.Key && same(a.Value, b.Value)
			}) {
			t.Errorf("record %d: got %q=%q %v %v, want %q=%q %v %v", i, r.Key, r.Value, r.Timestamp, r.Headers,
				want.Key, want.Value, want.Timestamp, want.Headers)
		}
	}
}
