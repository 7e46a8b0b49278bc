package integration_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"streamer/integration/eventually"
	"streamer/integration/ledger"
	"streamer/integration/proxy"
	"streamer/integration/service"
)

// The memory that a service may hold with a dead sink: its budget and what the process needs beside it (code, Go's
// runtime, the client's buffers, and garbage that is not collected yet).
const (
	budget   = 64 << 20
	overhead = 96 << 20
)

// TestDeadSink lets the sink hang while the topic holds many times the budget. It would catch memory that grows with the
// outage, a poller that blocks and so falls out of the group, and an intake that never resumes.
func TestDeadSink(t *testing.T) {
	t.Parallel()
	const partitions, each, size = 4, 80_000, 1000
	f := newFlow(t, partitions)
	way := f.broker.Proxied(t)
	f.Pad = strings.Repeat("x", size)
	f.fill(t, ledger.Each(partitions, each)...)
	f.sample(t)
	s := binary.Start(t, f.config().With(sinkBehind(way)))
	f.progressed(t, s, 1_000)

	way.Hang()
	s.UntilStatus(t, "intake to be paused by memory", isPaused)
	before, err := ledger.Committed(t.Context(), f.admin, f.group, f.Topic)
	if err != nil {
		t.Fatal(err)
	}
	var highest int64
	// Longer than the session: a member that does not poll would be thrown out.
	eventually.Throughout(t, 12*time.Second, "with a dead sink", func(ctx context.Context) error {
		rss, err := s.RSS()
		if err != nil {
			return err
		}
		highest = max(highest, rss)
		if rss > budget+overhead {
			return fmt.Errorf("resident memory is %d MiB, budget %d MiB", rss>>20, budget>>20)
		}
		if err := s.Live(ctx); err != nil {
			return err
		}
		return f.isMember(ctx)
	})
	t.Logf("highest resident memory %d MiB", highest>>20)
	after, err := ledger.Committed(t.Context(), f.admin, f.group, f.Topic)
	if err != nil {
		t.Fatal(err)
	}
	for partition, at := range after {
		// One batch may have been on its way.
		if at-before[partition] > each/2 {
			t.Errorf("partition %d: commits went from %d to %d without a sink", partition, before[partition], at)
		}
	}

	way.Pass()
	s.Until(t, "the group to catch up", f.caughtUp)
	s.UntilStatus(t, "the budget to be free", isFree)
	s.Terminate(t)
	f.atLeastOnce(t)
}

// sinkBehind sends the output through the proxy; the input goes the plain way.
func sinkBehind(way *proxy.Proxy) service.Config {
	return service.Config{"sink.kafka.brokers": []string{way.Addr()}}
}

// isPaused returns nil when a partition's intake is paused.
func isPaused(status *service.Status) error {
	for _, p := range status.Partitions {
		if p.Paused {
			return nil
		}
	}
	return fmt.Errorf("nothing is paused; %d of %d bytes in use", status.Memory.Used, status.Memory.Budget)
}

// isMember returns nil while the group has exactly one member and is stable.
func (f *flow) isMember(ctx context.Context) error {
	groups, err := f.admin.DescribeGroups(ctx, f.group)
	if err != nil {
		return fmt.Errorf("describe group: %w", err)
	}
	group := groups[f.group]
	if group.State != "Stable" || len(group.Members) != 1 {
		return fmt.Errorf("group is %s with %d members, want Stable with 1", group.State, len(group.Members))
	}
	return nil
}
