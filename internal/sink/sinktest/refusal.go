package sinktest

import (
	"errors"
	"slices"
	"testing"

	"streamer/internal/record"
	"streamer/internal/sink"
)

func passesOver(t *testing.T, h Harness) {
	ctx := testContext(t)
	some, all := Numbered(0, 0, 5), Numbered(1, 0, 3)
	for _, i := range []int{0, 2, 4} {
		some.Refuse(i)
	}
	for i := range all.Out {
		all.Refuse(i)
	}
	for id, block := range []*record.Block{some, all, Numbered(2, 0, 1)} {
		if err := h.Sink.Write(ctx, Batch(uint64(id), block)); err != nil {
			t.Fatal(err)
		}
	}
	expectExactly(t, h, map[int32][]int64{0: {1, 3}, 2: {0}})
}

// refusing makes a batch with two records in partition 0 and one in partition 1 that the sink refuses.
func refusing(t *testing.T, h Harness) *record.Batch {
	t.Helper()
	if h.Refusable == nil {
		t.Skip("this kind of sink refuses no record")
	}
	batch := Batch(1, Numbered(0, 0, 4), Numbered(0, 4, 4), Numbered(1, 0, 4), Numbered(2, 0, 4))
	for _, out := range []*record.Output{&batch.Blocks[0].Out[2], &batch.Blocks[1].Out[1], &batch.Blocks[2].Out[0]} {
		out.Value = h.Refusable()
	}
	return batch
}

// settle writes the batch and answers every refusal, until all the rest has arrived.
func settle(t *testing.T, h Harness, batch *record.Batch, answer func(*sink.RejectedError)) []sink.Origin {
	t.Helper()
	var refused []sink.Origin
	for {
		err := h.Sink.Write(testContext(t), batch)
		if err == nil {
			return refused
		}
		rejected, ok := errors.AsType[*sink.RejectedError](err)
		if !ok || len(refused) > 10 {
			t.Fatalf("Write of refused records, after %d of them = %v (%s)", len(refused), err, sink.Classify(err))
		}
		for _, r := range rejected.Records {
			if out := r.Block.Output(r.Index); out.Refused || out.Offset != r.Origin().Offset {
				t.Fatalf("%v is refused again, or is not the record at its index", r.Origin())
			}
			refused = append(refused, r.Origin())
		}
		answer(rejected)
	}
}

// deliversNeighbours is the policy that puts refused records aside.
func deliversNeighbours(t *testing.T, h Harness) { putsAside(t, h, refusing(t, h)) }

// deliversNeighboursThrough is the same with blocks that were passed on as they came.
func deliversNeighboursThrough(t *testing.T, h Harness) { putsAside(t, h, through(refusing(t, h))) }

func putsAside(t *testing.T, h Harness, batch *record.Batch) {
	t.Helper()
	refused := settle(t, h, batch, func(rejected *sink.RejectedError) {
		for _, r := range rejected.Records {
			r.Block.Refuse(r.Index)
		}
	})
	if len(refused) != 3 {
		t.Errorf("refused: %v, want three records", refused)
	}
	expectExactly(t, h, map[int32][]int64{0: {0, 1, 3, 4, 6, 7}, 1: {1, 2, 3}, 2: {0, 1, 2, 3}})
	if err := h.Sink.Write(testContext(t), Batch(2, Numbered(1, 4, 1))); err != nil {
		t.Fatal(err)
	}
	expectExactly(t, h, map[int32][]int64{0: {0, 1, 3, 4, 6, 7}, 1: {1, 2, 3, 4}, 2: {0, 1, 2, 3}})
}

// deliversBefore is the policy that stops at refused records: partitions end before them.
func deliversBefore(t *testing.T, h Harness) { endsBefore(t, h, refusing(t, h)) }

// deliversBeforeThrough is the same with blocks that were passed on as they came.
func deliversBeforeThrough(t *testing.T, h Harness) { endsBefore(t, h, through(refusing(t, h))) }

func endsBefore(t *testing.T, h Harness, batch *record.Batch) {
	t.Helper()
	settle(t, h, batch, func(rejected *sink.RejectedError) {
		for _, r := range slices.Backward(rejected.Records) { // so that the first of a partition counts
			batch.Blocks = slices.DeleteFunc(batch.Blocks, func(block *record.Block) bool {
				if block.Owner == r.Origin().Owner && block.Span.Next > r.Offset {
					block.End(r.Offset)
				}
				return block.Span.Empty()
			})
		}
	})
	expectExactly(t, h, map[int32][]int64{0: {0, 1}, 2: {0, 1, 2, 3}})
}

// expectExactly checks that for each partition these offsets have arrived, once and in this order.
func expectExactly(t *testing.T, h Harness, want map[int32][]int64) {
	t.Helper()
	if h.Delivered == nil {
		return
	}
	got := map[int32][]int64{}
	for _, p := range positions(t, h.Delivered(t)) {
		got[p.Partition] = append(got[p.Partition], p.Offset)
	}
	for partition := range int32(3) {
		if !slices.Equal(got[partition], want[partition]) {
			t.Errorf("partition %d: offsets %v arrived, want %v", partition, got[partition], want[partition])
		}
	}
}
