package sinktest

import (
	"bytes"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/record"
)

func deliversInOrder(t *testing.T, h Harness) {
	ctx := testContext(t)
	const batches, blocks, size = 3, 2, 50
	for b := range int64(batches) {
		var all []*record.Block
		for partition := range int32(3) {
			for k := range int64(blocks) {
				all = append(all, Numbered(partition, (b*blocks+k)*size, size))
			}
		}
		if err := h.Sink.Write(ctx, Batch(uint64(b), all...)); err != nil {
			t.Fatalf("Write batch %d: %v", b, err)
		}
		// Acknowledged means arrived, after every batch and not only in the end.
		n := (b + 1) * blocks * size
		expect(t, h, false, map[int32]int64{0: n, 1: n, 2: n})
	}
}

func takesEmpty(t *testing.T, h Harness) {
	ctx := testContext(t)
	for _, batch := range []*record.Batch{
		Batch(1),
		Batch(2, Block(0, 0)), // a span without output: all filtered, or control records only
		Batch(3, Block(0, 0), Numbered(1, 0, 1), Block(2, 0)),
	} {
		if err := h.Sink.Write(ctx, batch); err != nil {
			t.Fatalf("Write batch %d: %v", batch.ID, err)
		}
	}
	expect(t, h, false, map[int32]int64{1: 1})
}

func keepsTombstones(t *testing.T, h Harness) {
	batch := Batch(1, Block(0, 0,
		record.Output{Key: []byte("a"), Value: []byte(`{"a":1}`), Timestamp: epoch()},
		record.Output{Key: []byte("a"), Value: nil, Timestamp: epoch()},
		record.Output{Key: []byte("b"), Value: []byte(`{"b":1}`), Timestamp: epoch()},
	))
	if err := h.Sink.Write(testContext(t), batch); err != nil {
		t.Fatal(err)
	}
	if h.Delivered == nil {
		return
	}
	got := h.Delivered(t)
	if len(got) != 3 {
		t.Fatalf("%d records arrived, want 3", len(got))
	}
	if !bytes.Equal(got[1].Value, h.Tombstone) || (got[1].Value == nil) != (h.Tombstone == nil) {
		t.Errorf("a tombstone arrived as %q, want %q", got[1].Value, h.Tombstone)
	}
}

func keepsParts(t *testing.T, h Harness) {
	headers := []kgo.RecordHeader{
		{Key: "trace", Value: []byte{0, 1, 255}}, {Key: "trace", Value: []byte("again")}, {Key: "none", Value: nil},
	}
	in := []record.Output{
		{Key: []byte("k"), Value: []byte(`{}`), Headers: headers, Timestamp: epoch()},
		{Key: nil, Value: []byte(`{}`), Timestamp: epoch()},
		{Key: []byte{}, Value: []byte(`{}`), Timestamp: epoch()},
	}
	for i := range in { // a batch each: without keys they may go to different places, and have no order then
		if err := h.Sink.Write(testContext(t), Batch(uint64(i), Block(0, int64(i), in[i]))); err != nil {
			t.Fatal(err)
		}
		if h.Delivered == nil {
			continue
		}
		got := h.Delivered(t)
		if len(got) != i+1 {
			t.Fatalf("%d records arrived, want %d", len(got), i+1)
		}
		checkParts(t, h.Keeps, got, in[:i+1])
	}
}

// checkParts looks for each output among the delivered, which may be in any order.
func checkParts(t *testing.T, keeps Keeps, got []Delivered, want []record.Output) {
	t.Helper()
	for i, out := range want {
		found := slices.ContainsFunc(got, func(d Delivered) bool {
			key := !keeps.Key || (bytes.Equal(d.Key, out.Key) && (d.Key == nil) == (out.Key == nil))
			headers := !keeps.Headers || slices.EqualFunc(d.Headers, out.Headers, equalHeader)
			return key && headers && (!keeps.Timestamp || d.Timestamp.Equal(out.Timestamp))
		})
		if !found {
			t.Errorf("record %d (key %q) did not arrive as it was; arrived: %+v", i, out.Key, got)
		}
	}
}

func equalHeader(a, b kgo.RecordHeader) bool {
	return a.Key == b.Key && bytes.Equal(a.Value, b.Value) && (a.Value == nil) == (b.Value == nil)
}

// passesThrough delivers blocks that were passed on as they came, among others.
func passesThrough(t *testing.T, h Harness) {
	ctx := testContext(t)
	batch := through(Batch(1, Numbered(0, 0, 50), Block(1, 0)))
	batch.Blocks = append(batch.Blocks, Numbered(2, 0, 50))
	if err := h.Sink.Write(ctx, batch); err != nil {
		t.Fatal(err)
	}
	expect(t, h, false, map[int32]int64{0: 50, 2: 50})
	parts := record.Output{
		Key: []byte("k"), Value: value(1, 0), Headers: []kgo.RecordHeader{{Key: "h", Value: []byte("v")}}, Timestamp: epoch(),
	}
	if err := h.Sink.Write(ctx, through(Batch(2, Block(1, 0, parts)))); err != nil {
		t.Fatal(err)
	}
	if h.Delivered != nil {
		checkParts(t, h.Keeps, h.Delivered(t), []record.Output{parts})
	}
}

func changesNothing(t *testing.T, h Harness) {
	given, twin := Numbered(0, 0, 100), Numbered(0, 0, 100)
	if err := h.Sink.Write(testContext(t), Batch(1, given)); err != nil {
		t.Fatal(err)
	}
	for i := range given.Out {
		g, w := &given.Out[i], &twin.Out[i]
		if !bytes.Equal(g.Key, w.Key) || !bytes.Equal(g.Value, w.Value) || !g.Timestamp.Equal(w.Timestamp) {
			t.Fatalf("output %d was %+v and is %+v after Write", i, w, g)
		}
	}
}
