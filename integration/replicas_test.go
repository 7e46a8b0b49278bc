package integration_test

import (
	"context"
	"fmt"
	"testing"

	"streamer/integration/service"
)

// TestReplicasComeAndGo would catch a commit after a revoke, work of an earlier assignment that is delivered late and
// out of order, and a partition that nobody reads after a rebalance.
func TestReplicasComeAndGo(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{"classic", "consumer"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			replicasComeAndGo(t, protocol)
		})
	}
}

func replicasComeAndGo(t *testing.T, protocol string) {
	t.Helper()
	f := newFlow(t, 8)
	f.sample(t)
	config := f.config().With(service.Config{"source.kafka.group_protocol": protocol})
	stop := f.stream(t, 10)

	var replicas [3]*service.Service
	for i := range replicas {
		replicas[i] = binary.Start(t, config)
		shared(t, f, replicas[:i+1])
	}
	for i := range replicas { // one after the other is replaced: a rolling restart
		replicas[i].Terminate(t)
		replicas[i] = binary.Start(t, config)
		shared(t, f, replicas[:])
	}
	replicas[0].Terminate(t)
	shared(t, f, replicas[1:])
	replicas[1].Terminate(t)
	shared(t, f, replicas[2:])

	stop()
	replicas[2].Until(t, "the group to catch up", f.caughtUp)
	replicas[2].Terminate(t)
	f.atLeastOnce(t)
}

// shared waits until every replica owns partitions, all partitions are owned, and the group goes on.
func shared(t *testing.T, f *flow, replicas []*service.Service) {
	t.Helper()
	replicas[0].Until(t, "the partitions to be shared", func(ctx context.Context) error {
		owned := 0
		for i, replica := range replicas {
			status, err := replica.Look(ctx)
			if err != nil {
				return err
			}
			if len(status.Partitions) == 0 {
				return fmt.Errorf("replica %d of %d owns nothing", i+1, len(replicas))
			}
			owned += len(status.Partitions)
		}
		if owned != f.partitions {
			return fmt.Errorf("%d of %d partitions are owned", owned, f.partitions)
		}
		return nil
	})
	f.progressed(t, replicas[0], 2_000)
}
