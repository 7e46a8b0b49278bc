package integration_test

import (
	"errors"
	"fmt"
	"testing"

	"streamer/integration/service"
)

// slowStep is an expression that takes a worker some 100 µs per record and is always true.
const slowStep = "sum(1..3000) > 0"

// TestHotPartitionKeepsEveryWorkerBusy has nine in ten records in one partition. It would catch a worker per partition,
// and blocks of one partition processed one after the other: then one worker works and the others wait.
func TestHotPartitionKeepsEveryWorkerBusy(t *testing.T) {
	t.Parallel()
	const workers, hot, other = 4, 54_000, 1_500
	f := newFlow(t, 5)
	f.fill(t, hot, other, other, other, other)
	s := binary.Start(t, f.config().With(service.Config{
		"pipeline.workers":  workers,
		"pipeline.decode":   "json",
		"pipeline.steps":    []map[string]any{{"filter": slowStep}},
		"block.max_records": 500,
	}))
	const wanted = 10
	seen := 0
	s.UntilStatus(t, "all workers to be seen busy with the hot partition alone", func(status *service.Status) error {
		if status.Workers.Total != workers {
			return fmt.Errorf("%d workers, want %d", status.Workers.Total, workers)
		}
		if onlyHotLeft(status, hot, other) && status.Workers.Busy == workers {
			seen++
		}
		if seen < wanted {
			return fmt.Errorf("%w: seen %d times; busy %d, partitions %+v", errNotYet, seen, status.Workers.Busy, status.Partitions)
		}
		return nil
	})
	s.Until(t, "the group to catch up", f.caughtUp)
	s.Terminate(t)
	f.exactlyOnce(t)
}

var errNotYet = errors.New("not yet")

// onlyHotLeft reports whether all partitions but the first are done.
func onlyHotLeft(status *service.Status, hot, other int64) bool {
	left := 0
	for _, p := range status.Partitions {
		switch {
		case p.Partition == 0 && p.Committed < hot:
			left++
		case p.Partition != 0 && p.Committed < other:
			return false
		}
	}
	return left == 1
}
