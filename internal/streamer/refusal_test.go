package streamer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"streamer/internal/batcher"
	"streamer/internal/pipeline"
	"streamer/internal/record"
	"streamer/internal/sink"
)

// refusedBatch has two partitions with the offsets 0 to 9 in two blocks each.
func refusedBatch() *record.Batch {
	open := batcher.New(batcher.DefaultConfig())
	account := record.NewBudget(0, func() {}).NewAccount()
	for partition := range int32(2) {
		for first := int64(0); first < 10; first += 5 {
			b := &record.Block{
				Owner: record.Owner{Topic: "in", Partition: partition, Epoch: 1},
				Span:  record.Span{First: first, Next: first + 5, LeaderEpoch: -1},
			}
			account.Open(b)
			for offset := first; offset < first+5; offset++ {
				b.Out = append(b.Out, record.Output{Offset: offset})
			}
			open.Add(b, time.Time{})
		}
	}
	return open.Cut(record.ByEnd, time.Time{})
}

// reject refuses records by their place: block and index; those of a too large record first.
func reject(b *record.Batch, tooLarge map[[2]int]bool, places ...[2]int) *sink.RejectedError {
	refused := &sink.RejectedError{}
	for _, place := range places {
		r := sink.Reject(b.Blocks[place[0]], place[1], errors.New("no"))
		r.TooLarge = tooLarge[place]
		refused.Records = append(refused.Records, r)
	}
	return refused
}

func left(b *record.Batch) []string {
	var out []string
	for owner, o := range b.Outputs {
		out = append(out, fmt.Sprintf("%d@%d", owner.Partition, o.Offset))
	}
	return out
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	asked := 0
	r := &refusals{
		onError: pipeline.OnError{Default: pipeline.Fail, TooLarge: pipeline.DeadLetter},
		original: func(_ context.Context, owner record.Owner, offset int64) (record.DeadLetter, error) {
			asked++
			return record.DeadLetter{Value: fmt.Appendf(nil, "%s %d", owner, offset)}, nil
		},
		failed: func(string, string) {}, log: &failureLog{log: slog.New(slog.DiscardHandler)},
	}
	b := refusedBatch()
	// Too large: 0@1, and twice the outputs of one record, 1@7. Refused for another reason, which stops partition 0 at 3.
	// What is behind that, 0@4 and 0@8, is nobody's concern any more.
	b.Blocks[3].Out[3].Offset = 7
	large := map[[2]int]bool{{0, 1}: true, {0, 4}: true, {1, 3}: true, {3, 2}: true, {3, 3}: true}
	stops, err := r.settle(t.Context(), b, reject(b, large, [2]int{0, 1}, [2]int{0, 3}, [2]int{0, 4}, [2]int{1, 3}, [2]int{3, 2}, [2]int{3, 3}))
	if err != nil || !stops {
		t.Fatalf("stops %v, %v", stops, err)
	}
	want := []string{"0@0", "0@2", "1@0", "1@1", "1@2", "1@3", "1@4", "1@5", "1@6", "1@9"}
	if got := left(b); !slices.Equal(got, want) || b.Records != len(want) {
		t.Errorf("left %v, %d records; want %v", got, b.Records, want)
	}
	var letters []string
	for _, block := range b.Blocks {
		for i := range block.Dead {
			letters = append(letters, string(block.Dead[i].Value)+" "+block.Dead[i].Class)
		}
	}
	if want := []string{"in/0 1 too_large", "in/1 7 too_large"}; !slices.Equal(letters, want) || asked != 2 {
		t.Errorf("dead letters %q, asked %d times; want %q", letters, asked, want)
	}
	if span := b.Spans[record.Owner{Topic: "in", Epoch: 1}]; span.Next != 3 {
		t.Errorf("partition 0 ends at %d, want 3", span.Next)
	}
}

// A record that cannot be read again is not left out: the batch is not acknowledged.
func TestRefusalWithoutItsRecord(t *testing.T) {
	t.Parallel()
	gone := errors.New("gone")
	r := &refusals{
		onError: pipeline.OnError{Default: pipeline.DeadLetter},
		original: func(context.Context, record.Owner, int64) (record.DeadLetter, error) {
			return record.DeadLetter{}, gone
		},
		failed: func(string, string) {}, log: &failureLog{log: slog.New(slog.DiscardHandler)},
	}
	b := refusedBatch()
	if _, err := r.settle(t.Context(), b, reject(b, nil, [2]int{0, 1})); !errors.Is(err, gone) || len(left(b)) != 20 {
		t.Errorf("%v, %d outputs left", err, len(left(b)))
	}
}

func TestRefusalsAreSkipped(t *testing.T) {
	t.Parallel()
	var counted []string
	r := &refusals{
		onError: pipeline.OnError{Default: pipeline.Skip},
		failed:  func(class, action string) { counted = append(counted, class+" "+action) },
		log:     &failureLog{log: slog.New(slog.DiscardHandler)},
	}
	b := refusedBatch()
	b.Blocks[0].Out[3].Offset = 4 // two outputs of one record, refused in two answers
	for _, refused := range [][][2]int{{{0, 4}, {1, 0}}, {{0, 0}, {0, 3}}} {
		stops, err := r.settle(t.Context(), b, reject(b, map[[2]int]bool{{1, 0}: true}, refused...))
		if stops || err != nil {
			t.Errorf("stops %v, %v", stops, err)
		}
	}
	if b.Records != 16 || b.Blocks[0].Failed() != 2 || b.Blocks[1].Failed() != 1 || b.Blocks[0].Skipped[0].Offset != 0 {
		t.Errorf("%d records left, skipped %v", b.Records, b.Blocks[0].Skipped)
	}
	if want := []string{"rejected skip", "too_large skip", "rejected skip"}; !slices.Equal(counted, want) {
		t.Errorf("counted %q, want %q", counted, want)
	}
}
