package integration_test

import (
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
// fetch that was sent while the hot one was paused finds nothing and waits. The sink hangs until the hot one is paused
// and goes on until it was served, again and again.
func TestHotPartitionBesideIdleOnes(t *testing.T) {
	t.Parallel()
	f := newFlow(t, 4)
	way := f.broker.Proxied(t)
	f.Pad = strings.Repeat("x", 1000)
	f.fill(t, 120_000, 1, 1, 1)
	f.sample(t)
	s := binary.Start(t, f.config().With(sinkBehind(way)).With(service.Config{
		"memory.budget": "16MiB", "batch.max_bytes": "2MiB", "block.max_bytes": "256KiB",
	}))
	f.progressed(t, s, 1)
	const rounds = 4
	resumes, slowest := 0, time.Duration(0)
	for range rounds {
		way.Hang()
		paused := f.hotUntil(t, s, "paused", func(hot *service.Partition) bool { return hot.Paused || hot.Position == hot.End })
		if !paused.Paused {
			break // all is read
		}
		way.Pass()
		f.hotUntil(t, s, "resumed", func(hot *service.Partition) bool { return !hot.Paused || hot.Position > paused.Position })
		resumed := time.Now()
		f.hotUntil(t, s, "served", func(hot *service.Partition) bool { return hot.Position > paused.Position })
		slowest = max(slowest, time.Since(resumed))
		resumes++
	}
	way.Pass()
	s.Until(t, "the group to catch up", f.caughtUp)
	t.Logf("%d resumes, the slowest served after %v", resumes, slowest)
	if resumes == 0 {
		t.Error("the hot partition was never paused and resumed: the test shows nothing")
	}
	if slowest > resumeLimit {
		t.Errorf("a resumed partition waited %v for its next record, limit %v", slowest, resumeLimit)
	}
	s.Terminate(t)
	f.exactlyOnce(t)
}

// hotUntil waits until partition 0 is as wanted, and returns it.
func (f *flow) hotUntil(
	t *testing.T, s *service.Service, what string, wanted func(*service.Partition) bool,
) *service.Partition {
	t.Helper()
	var hot *service.Partition
	s.UntilStatus(t, "partition 0 to be "+what, func(status *service.Status) error {
		if hot = status.Partition(0); hot == nil || !wanted(hot) {
			return fmt.Errorf("%w: %+v", errNotYet, hot)
		}
		return nil
	})
	return hot
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
