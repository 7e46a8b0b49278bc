package integration_test

import (
	"context"
	"errors"
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
	looks, busy := 0, 0
	s.Until(t, "the group to catch up", func(ctx context.Context) error {
		status, err := s.Look(ctx)
		if err != nil {
			return err
		}
		if onlyHotToDo(status) {
			looks++
			if status.Workers.Busy == workers {
				busy++
			}
		}
		return f.caughtUp(ctx)
	})
	t.Logf("all %d workers were busy in %d of %d looks at which only the hot partition had work", workers, busy, looks)
	if looks == 0 {
		t.Error("the hot partition was never seen alone: the test shows nothing")
	}
	// Between one block and the next a worker is idle for a moment, and a look may fall into it.
	if 4*busy < 3*looks {
		t.Errorf("all workers were busy in %d of %d looks, want three in four", busy, looks)
	}
	s.Terminate(t)
	f.exactlyOnce(t)
}

var errNotYet = errors.New("not yet")

// onlyHotToDo reports whether blocks wait for a worker and all that is received and not delivered yet is of the first
// partition, so that nobody can be working for another.
func onlyHotToDo(status *service.Status) bool {
	for _, p := range status.Partitions {
		if p.Partition != 0 && p.InFlight > 0 {
			return false
		}
	}
	return status.Workers.Queued > 0
}
