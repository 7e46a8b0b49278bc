package integration_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"streamer/integration/ledger"
	"streamer/integration/service"
)

// resumeLimit is how long a resumed partition may wait for its first record. One second is promised; the other is for
// the machine that runs the tests. What this is to catch takes longer: a resumed partition that waits out a long poll
// which was sent without it (kgo's default: 5 s).
const resumeLimit = 2 * time.Second

// TestHotPartitionBesideIdleOnes has one partition with many times the budget and idle ones beside it, so that every
// fetch that was sent while the hot one was paused finds nothing and waits.
func TestHotPartitionBesideIdleOnes(t *testing.T) {
	t.Parallel()
	f := newFlow(t, 4)
	f.Pad = strings.Repeat("x", 1000)
	f.fill(t, 120_000, 1, 1, 1)
	f.sample(t)
	s := binary.Start(t, f.config().With(service.Config{
		"memory.budget": "16MiB", "batch.max_bytes": "2MiB", "block.max_bytes": "256KiB",
	}))
	resumes, slowest := 0, time.Duration(0)
	var last service.Partition
	var waiting time.Time // since when a resumed partition has got nothing
	s.Until(t, "the group to catch up", func(ctx context.Context) error {
		status, err := s.Look(ctx)
		if err != nil {
			return err
		}
		now := time.Now()
		hot := status.Partition(0)
		if hot == nil {
			return fmt.Errorf("%w: partition 0 is not assigned", errNotYet)
		}
		if last.Paused && !hot.Paused {
			resumes++
			waiting = now
		}
		if !waiting.IsZero() {
			slowest = max(slowest, now.Sub(waiting))
			if hot.Position > last.Position || hot.Paused || hot.Position == hot.End {
				waiting = time.Time{}
			}
		}
		last = *hot
		return f.caughtUp(ctx)
	})
	t.Logf("%d resumes seen, the slowest served after %v", resumes, slowest)
	if resumes == 0 {
		t.Error("the hot partition was never seen paused and resumed: the test shows nothing")
	}
	if slowest > resumeLimit {
		t.Errorf("a resumed partition waited %v for its next record, limit %v", slowest, resumeLimit)
	}
	s.Terminate(t)
	f.exactlyOnce(t)
}

// TestPausedPartitionComesBack revokes partitions while they are paused and gives them back. It would catch a pause that
// outlives the assignment: kgo keeps it, and the partition stays silent for ever.
func TestPausedPartitionComesBack(t *testing.T) {
	t.Parallel()
	const partitions = 4
	f := newFlow(t, partitions)
	way := f.broker.Proxied(t)
	f.Pad = strings.Repeat("x", 1000)
	f.fill(t, 30_000, 30_000, 30_000, 30_000)
	f.sample(t)
	config := f.config().With(sinkBehind(way)).With(service.Config{
		"memory.budget": "16MiB", "batch.max_bytes": "2MiB", "source.kafka.drain_timeout": "1s",
	})
	first := binary.Start(t, config)
	f.progressed(t, first, 1)
	way.Hang()
	first.UntilStatus(t, "all partitions to be paused", func(status *service.Status) error {
		for _, p := range status.Partitions {
			if !p.Paused {
				return fmt.Errorf("partition %d is not paused", p.Partition)
			}
		}
		return nil
	})

	// The sink of the first stays hung: what it has in flight is fenced at the drain timeout.
	second := binary.Start(t, f.config())
	owns(t, second, partitions/2)
	owns(t, first, partitions/2)
	second.Terminate(t)
	owns(t, first, partitions)
	f.fill(t, ledger.Each(partitions, 1_000)...)
	way.Pass()
	first.Until(t, "the group to catch up", f.caughtUp)
	first.Terminate(t)
	f.atLeastOnce(t)
}

// owns waits until the service owns that many partitions.
func owns(t *testing.T, s *service.Service, count int) {
	t.Helper()
	s.UntilStatus(t, fmt.Sprintf("%d partitions to be owned", count), func(status *service.Status) error {
		if len(status.Partitions) != count {
			return fmt.Errorf("%d partitions are owned: %+v", len(status.Partitions), status.Partitions)
		}
		return nil
	})
}
