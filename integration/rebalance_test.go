package integration_test

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"streamer/integration/eventually"
	"streamer/integration/ledger"
	"streamer/integration/service"
)

// TestRevokeWithHungSink lets a second replica join while the sink of the first is hung and nothing comes in. It would
// catch a revoke that waits for the sink and not only for drain_timeout, one that is not served because the poll waits
// for records, and kept partitions that stop flowing meanwhile.
func TestRevokeWithHungSink(t *testing.T) {
	t.Parallel()
	const partitions, drain = 4, 8 * time.Second
	f := newFlow(t, partitions)
	way := f.broker.Proxied(t)
	f.sample(t)
	config := f.config().With(service.Config{"source.kafka.drain_timeout": drain.String()})
	first := binary.Start(t, config.With(sinkBehind(way)))
	f.fill(t, ledger.Each(partitions, 100)...)
	first.Until(t, "the group to catch up", f.caughtUp)
	way.Hang()
	f.fill(t, ledger.Each(partitions, 100)...)
	first.UntilStatus(t, "records in flight in every partition", func(status *service.Status) error {
		for _, p := range status.Partitions {
			if p.Position < 200 || p.InFlight == 0 {
				return fmt.Errorf("partition %d: position %d, %d bytes in flight", p.Partition, p.Position, p.InFlight)
			}
		}
		return nil
	})

	second := binary.Start(t, config)
	first.UntilStatus(t, "partitions to drain", someDraining)
	draining := time.Now()
	before := positions(first.Status(t))
	f.fill(t, ledger.Each(partitions, 100)...)
	grown := map[int32]bool{}
	second.Until(t, "the second replica to own half", func(ctx context.Context) error {
		for partition, at := range positions(first.Status(t)) {
			if at > before[partition] {
				grown[partition] = true
			}
		}
		status, err := second.Look(ctx)
		if err != nil {
			return err
		}
		if len(status.Partitions) != partitions/2 {
			return fmt.Errorf("it owns %d", len(status.Partitions))
		}
		return nil
	})
	took := time.Since(draining)
	t.Logf("the revoke took %v", took)
	// Beside the drain there is a second round of the rebalance, and a loaded machine.
	if limit := drain + 5*time.Second; took > limit {
		t.Errorf("the revoke took %v, limit %v", took, limit)
	}
	for _, p := range first.Status(t).Partitions {
		if !grown[p.Partition] {
			t.Errorf("kept partition %d got nothing while the others were revoked", p.Partition)
		}
	}

	way.Pass()
	first.Until(t, "the group to catch up", f.caughtUp)
	first.Terminate(t)
	second.Until(t, "the group to catch up", f.caughtUp)
	second.Terminate(t)
	f.atLeastOnce(t)
}

func someDraining(status *service.Status) error {
	for _, p := range status.Partitions {
		if p.State == "draining" {
			return nil
		}
	}
	return fmt.Errorf("none is draining: %+v", status.Partitions)
}

func positions(status *service.Status) map[int32]int64 {
	at := make(map[int32]int64)
	for _, p := range status.Partitions {
		at[p.Partition] = p.Position
	}
	return at
}

// TestKickedMember removes the member from the group behind its back, again and again under load. It would catch spans
// that were acknowledged under the old membership and are committed under the new one, over what others committed.
func TestKickedMember(t *testing.T) {
	t.Parallel()
	f := newFlow(t, 4)
	f.sample(t)
	stop := f.stream(t, 20)
	config := f.config().With(service.Config{"block.interval": "0", "batch.interval": "0"})
	replicas := []*service.Service{binary.Start(t, config), binary.Start(t, config)}
	shared(t, f, replicas)
	for range 3 {
		f.kickAll(t)
		f.progressed(t, replicas[0], 5_000)
	}
	shared(t, f, replicas)
	stop()
	replicas[0].Until(t, "the group to catch up", f.caughtUp)
	for _, s := range replicas {
		s.Terminate(t)
	}
	f.atLeastOnce(t)
}

// kickAll makes every member leave the group without asking it.
func (f *flow) kickAll(t *testing.T) {
	t.Helper()
	eventually.Holds(t, service.Patience, "the members to be kicked", func(ctx context.Context) error {
		groups, err := f.admin.DescribeGroups(ctx, f.group)
		if err != nil {
			return err
		}
		group := groups[f.group]
		if group.State != "Stable" || len(group.Members) == 0 {
			return fmt.Errorf("group is %s with %d members", group.State, len(group.Members))
		}
		request := kmsg.NewPtrLeaveGroupRequest()
		request.Group = f.group
		for _, member := range group.Members {
			leaver := kmsg.NewLeaveGroupRequestMember()
			leaver.MemberID = member.MemberID
			request.Members = append(request.Members, leaver)
		}
		_, err = request.RequestWith(ctx, f.broker.Client(t))
		return err
	})
}

// TestZombie freezes a replica past its session and thaws it when another has its partitions. It would catch one that
// commits or delivers out of order as if nothing had happened.
func TestZombie(t *testing.T) {
	t.Parallel()
	const partitions = 4
	f := newFlow(t, partitions)
	f.sample(t)
	stop := f.stream(t, 20)
	zombie := binary.Start(t, f.config())
	f.progressed(t, zombie, 2_000)
	zombie.Send(t, syscall.SIGSTOP)
	heir := binary.Start(t, f.config())
	owns(t, heir, partitions)
	f.progressed(t, heir, 5_000)
	zombie.Send(t, syscall.SIGCONT)
	shared(t, f, []*service.Service{zombie, heir})
	stop()
	heir.Until(t, "the group to catch up", f.caughtUp)
	zombie.Terminate(t)
	heir.Terminate(t)
	f.atLeastOnce(t)
}
