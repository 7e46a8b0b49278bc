package union

import (
	"testing"

	"pgregory.net/rapid"

	"streamer/internal/record"
)

var one = record.Owner{Topic: "t", Partition: 1, Epoch: 1}

func block(o record.Owner, first, next int64) *record.Block {
	return &record.Block{Owner: o, Span: record.Span{First: first, Next: next}}
}

func TestPutHoldsABlockUntilTheOnesBeforeItCame(t *testing.T) {
	t.Parallel()
	o := NewOrder()
	o.Begin(one, 10)
	if ready, ok := o.Put(block(one, 20, 30)); !ok || len(ready) != 0 || o.Waiting() != 1 {
		t.Fatalf("a block with a hole before it passed: %v %v, waiting %d", ready, ok, o.Waiting())
	}
	ready, ok := o.Put(block(one, 10, 20))
	if !ok || len(ready) != 2 || ready[0].Span.First != 10 || ready[1].Span.First != 20 || o.Waiting() != 0 {
		t.Fatalf("got %v %v, waiting %d; want both blocks in order", ready, ok, o.Waiting())
	}
}

func TestPutRefusesBlocksOfOwnersThatEnded(t *testing.T) {
	t.Parallel()
	o := NewOrder()
	o.Begin(one, 0)
	o.Put(block(one, 5, 9))
	if dropped := o.Fence(one); len(dropped) != 1 || o.Waiting() != 0 {
		t.Fatalf("fence dropped %v, waiting %d; want the one that waited", dropped, o.Waiting())
	}
	again := one
	again.Epoch = 2
	o.Begin(again, 0)
	if _, ok := o.Put(block(one, 0, 5)); ok {
		t.Fatal("a block of the earlier assignment passed after the partition was assigned again")
	}
	if ready, ok := o.Put(block(again, 0, 5)); !ok || len(ready) != 1 {
		t.Fatalf("the new assignment's block did not pass: %v %v", ready, ok)
	}
}

func TestNothingPassesBehindAStoppedBlock(t *testing.T) {
	t.Parallel()
	o := NewOrder()
	o.Begin(one, 0)
	o.Put(block(one, 10, 20))
	stopped := block(one, 0, 4) // was [0,10) before record 4 failed
	stopped.Stopped = &record.Failure{Offset: 4}
	if ready, _ := o.Put(stopped); len(ready) != 1 || ready[0] != stopped {
		t.Fatalf("got %v; want only the stopped block", ready)
	}
}

// The model: per owner, what comes out is what went in sorted by offset, up to the first hole.
func TestOrderAgainstModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		owners := rapid.IntRange(1, 4).Draw(t, "owners")
		o := NewOrder()
		var all []*record.Block
		for p := range owners {
			owner := record.Owner{Topic: "t", Partition: int32(p), Epoch: 1}
			at := rapid.Int64Range(0, 100).Draw(t, "first")
			o.Begin(owner, at)
			for range rapid.IntRange(0, 12).Draw(t, "blocks") {
				n := rapid.Int64Range(1, 9).Draw(t, "length")
				all = append(all, block(owner, at, at+n))
				at += n
			}
		}
		shuffled := rapid.Permutation(all).Draw(t, "order")
		place := make(map[record.Owner]int64)
		passed := 0
		for _, b := range shuffled {
			ready, ok := o.Put(b)
			if !ok {
				t.Fatalf("%v refused", b.Span)
			}
			for _, r := range ready {
				if last, seen := place[r.Owner]; seen && last != r.Span.First {
					t.Fatalf("%v: %v follows offset %d", r.Owner, r.Span, last)
				}
				place[r.Owner] = r.Span.Next
				passed++
			}
		}
		if passed != len(all) || o.Waiting() != 0 {
			t.Fatalf("%d of %d blocks passed, %d wait", passed, len(all), o.Waiting())
		}
	})
}
