package streamer

import (
	"errors"
	"strings"
	"testing"

	"streamer/internal/pipeline"
	"streamer/internal/record"
)

func batchOf(records, failed int) *record.Batch {
	block := &record.Block{Received: records}
	for i := range failed {
		if failure := (record.Failure{Offset: int64(i), Class: record.ClassDecode, Step: "decode", Err: errors.New("no JSON")}); i%2 == 0 {
			block.Skipped = append(block.Skipped, failure)
		} else {
			block.Dead = append(block.Dead, record.DeadLetter{Failure: failure})
		}
	}
	return &record.Batch{Blocks: []*record.Block{block}}
}

// What the sink refuses comes after the batch was counted.
func TestBreakerCountsWhatTheSinkRefuses(t *testing.T) {
	t.Parallel()
	b := newBreaker(pipeline.CircuitBreaker{Percent: 50, Batches: 2, MinRecords: 20})
	for i := range 5 { // around the ring
		if err := errors.Join(b.count(batchOf(10, 0)), b.recount(batchOf(10, 4)), b.recount(batchOf(10, 5))); err != nil {
			t.Fatalf("batch %d: %v", i, err)
		}
	}
	if err := b.count(batchOf(10, 0)); err != nil {
		t.Fatal(err)
	}
	if err := b.recount(batchOf(10, 6)); err == nil || !strings.Contains(err.Error(), "11 of the last 20 records failed, in 2 batches") {
		t.Errorf("11 of 20 records failed: %v", err)
	}
}

func TestBreaker(t *testing.T) {
	t.Parallel()
	limit := pipeline.CircuitBreaker{Percent: 50, Batches: 3, MinRecords: 20}
	for _, test := range []struct {
		name    string
		limit   pipeline.CircuitBreaker
		batches [][2]int // records, failed
		trips   int      // the batch at which it does; -1 never
	}{
		{"half is not more than half", limit, [][2]int{{10, 5}, {10, 5}, {10, 5}, {10, 5}}, -1},
		{"more than half", limit, [][2]int{{10, 6}, {10, 6}, {10, 6}}, 2},
		{"too few batches", limit, [][2]int{{100, 100}, {100, 100}}, -1},
		{"too few records", limit, [][2]int{{5, 5}, {5, 5}, {5, 5}, {5, 5}}, -1},
		{"old batches leave", limit, [][2]int{{100, 100}, {10, 0}, {100, 0}, {10, 0}, {100, 60}, {10, 10}}, 5},
		{"batches without records do not count", limit, [][2]int{{10, 6}, {0, 0}, {10, 6}, {0, 0}}, -1},
		{"a good batch does not trip it", limit, [][2]int{{30, 30}, {10, 10}, {5, 0}}, -1},
		{"all good", limit, [][2]int{{10, 0}, {10, 0}, {10, 0}, {10, 0}}, -1},
		{"turned off", pipeline.CircuitBreaker{Batches: 1, MinRecords: 1}, [][2]int{{10, 10}, {10, 10}}, -1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBreaker(test.limit)
			for i, batch := range test.batches {
				err := b.count(batchOf(batch[0], batch[1]))
				if (err != nil) != (i == test.trips) {
					t.Fatalf("batch %d: %v", i, err)
				}
				if err != nil && !strings.Contains(err.Error(), "the last failure: decode: no JSON") {
					t.Errorf("error %v", err)
				}
			}
		})
	}
}
