package integration_test

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

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

// TestKickedMembers removes all members from the group behind their back, again and again under load. It would catch
// spans that were acknowledged under the old membership and are committed under the new one, over what others committed.
func TestKickedMembers(t *testing.T) {
	t.Parallel()
	f, replicas, stop := underLoad(t, broker.Addrs...)
	const kicks = 12 // which of the two comes back first is chance, and only one order shows the fault
	for range kicks {
		f.kick(t, clientID(0), clientID(1))
		f.progressed(t, replicas[0], 2_000)
	}
	endLoad(t, f, replicas, stop)
}

// TestKickedWithCommitsPending hangs one member's way to the group, not to the sink: what it acknowledges waits to be
// committed. It is kicked, another takes over its partitions and commits further, and then its commits go out. It would
// catch what TestKickedMembers would, with the most to lose.
func TestKickedWithCommitsPending(t *testing.T) {
	t.Parallel()
	way := broker.Proxied(t)
	f, replicas, stop := underLoad(t, way.Addr())
	for range 3 {
		way.Hang()
		f.kick(t, clientID(0))
		owns(t, replicas[1], f.partitions)
		f.progressed(t, replicas[1], 2_000)
		way.Pass()
		shared(t, f, replicas)
	}
	endLoad(t, f, replicas, stop)
}

// underLoad starts two replicas that acknowledge and commit as often as they can. The first reads from and commits to the
// given addresses.
func underLoad(t *testing.T, first ...string) (f *flow, replicas []*service.Service, stop func()) {
	t.Helper()
	f = newFlow(t, 4)
	f.sample(t)
	stop = f.stream(t, 20)
	config := f.config().With(service.Config{"block.interval": "0", "batch.interval": "0"})
	for i, addrs := range [][]string{first, f.broker.Addrs} {
		replicas = append(replicas, binary.Start(t, config.With(service.Config{
			"kafka.client_id": clientID(i), "kafka.brokers": addrs, "sink.kafka.brokers": f.broker.Addrs,
		})))
	}
	shared(t, f, replicas)
	return f, replicas, stop
}

func clientID(replica int) string { return fmt.Sprintf("replica-%d", replica) }

func endLoad(t *testing.T, f *flow, replicas []*service.Service, stop func()) {
	t.Helper()
	shared(t, f, replicas)
	stop()
	replicas[0].Until(t, "the group to catch up", f.caughtUp)
	for _, s := range replicas {
		s.Terminate(t)
	}
	f.atLeastOnce(t)
}

// kick makes the members of those clients leave the group without asking them.
func (f *flow) kick(t *testing.T, clients ...string) {
	t.Helper()
	f.broker.RemoveMembers(t, f.group, clients...)
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
