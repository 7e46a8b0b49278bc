//go:build chaos && linux

package chaos_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"syscall"
	"time"

	"streamer/integration/loopback"
	"streamer/integration/service"
)

// replica is one place in the group: a process comes and goes in it, always with the same configuration and address.
type replica struct {
	*service.Service // nil while none runs

	name   string
	config service.Config
}

func (r *rig) addReplica(index int) {
	r.t.Helper()
	listen, err := loopback.FreeAddr(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	name := fmt.Sprintf("replica-%d", index)
	config := service.Config{"admin.listen": listen, "kafka.client_id": name}
	switch {
	case r.plan.staticMembers:
		config["source.kafka.instance_id"] = name
	case r.source != nil && index > 0: // the others stay in touch, so that partitions can move to them
		config["kafka.brokers"] = r.broker.Addrs
	}
	r.replicas = append(r.replicas, &replica{name: name, config: config})
}

func (r *rig) start(p *replica) {
	r.t.Helper()
	if p.Service != nil {
		return
	}
	p.Service = r.binary.Start(r.t, r.config.With(p.config))
	r.watch.add(p.Service, p.name)
}

// running returns a replica that runs, drawn; nil if none does.
func (r *rig) running() *replica {
	for _, i := range r.rand.Perm(len(r.replicas)) {
		if r.replicas[i].Service != nil {
			return r.replicas[i]
		}
	}
	return nil
}

// kill ends the replica's process at once.
func (r *rig) kill(p *replica) {
	r.t.Helper()
	r.watch.remove(p.Service)
	p.Crash(r.t)
	p.Service = nil
	r.kills++
}

// stop ends the replica's process as an operator does; it must end cleanly.
func (r *rig) stop(p *replica) {
	r.t.Helper()
	s := p.Service
	if s == nil {
		return
	}
	r.watch.remove(s)
	s.Send(r.t, syscall.SIGTERM)
	p.Service = nil
	r.ended(p, s, 0)
}

// ended waits for the end of the process and checks its exit code.
func (r *rig) ended(p *replica, s *service.Service, want int) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), cmp.Or(r.plan.patience, patience))
	defer cancel()
	code, err := s.Wait(ctx)
	if err != nil || code != want {
		r.faultf(exitCode, "%s: exit code %d, want %d; %v; the end of its log:\n%s", p.name, code, want, err, s.Stderr.Last(12))
		s.Crash(r.t)
	}
}

// fails waits until the replica's process ends by itself with exit code 1, as it has to after such a fault, and returns
// its log. It takes nil, for none.
func (r *rig) fails(p *replica) string {
	r.t.Helper()
	if p == nil {
		return ""
	}
	s := p.Service
	r.watch.remove(s)
	p.Service = nil
	r.ended(p, s, 1)
	r.lastLog = s.Stderr.String()
	return r.lastLog
}

// ready waits until the replica's process answers: a signal that comes earlier finds no handler.
func (r *rig) ready(p *replica) {
	r.t.Helper()
	r.await(liveness, p.name+" to answer", p.Live)
}

// reports waits until the replica says that it is in one of the states.
func (r *rig) reports(p *replica, states ...string) {
	r.t.Helper()
	r.await(reason, fmt.Sprintf("%s to report %v", p.name, states), func(ctx context.Context) error {
		status, err := p.Look(ctx)
		if err != nil {
			return err
		}
		if slices.Contains(states, status.State) {
			return nil
		}
		return fmt.Errorf("it says %q because of %q", status.State, status.Reason)
	})
}

// idle returns nil when every replica says that nothing is to be done, in every partition.
func (r *rig) idle(ctx context.Context) error {
	for _, p := range r.replicas {
		status, err := p.Look(ctx)
		if err != nil {
			return err
		}
		if status.State != "idle" {
			return fmt.Errorf("%s is %q because of %q", p.name, status.State, status.Reason)
		}
		for _, part := range status.Partitions {
			if part.State != "idle" {
				return fmt.Errorf("%s: partition %d is %q", p.name, part.Partition, part.State)
			}
		}
	}
	return nil
}

// stayIdle looks for a while whether a service at the end of its input says anything else.
func (r *rig) stayIdle() {
	for until := time.Now().Add(time.Second); time.Now().Before(until); r.hold(50 * time.Millisecond) {
		if err := r.idle(r.t.Context()); err != nil {
			r.faultf(reason, "at the end of the input: %v", err)
			return
		}
	}
}

// members returns nil when the group has exactly the processes that run, and all partitions are shared among them: before
// a rebalance is over one may have all, and another none.
func (r *rig) members(ctx context.Context) error {
	owned := make(map[int32]string)
	running := 0
	for _, p := range r.replicas {
		status, err := p.Look(ctx)
		if err != nil {
			return err
		}
		if running++; len(status.Partitions) == 0 {
			return fmt.Errorf("%s owns nothing", p.name)
		}
		for _, part := range status.Partitions {
			if other, taken := owned[part.Partition]; taken {
				return fmt.Errorf("partition %d is owned by %s and %s", part.Partition, other, p.name)
			}
			owned[part.Partition] = p.name
		}
	}
	if ends := r.ends(); len(owned) != len(ends) {
		return fmt.Errorf("%d of %d partitions are owned", len(owned), len(ends))
	}
	count, err := r.groupSize(ctx)
	if err == nil && count != running {
		err = fmt.Errorf("the group has %d members, %d processes run", count, running)
	}
	return err
}

func (r *rig) groupSize(ctx context.Context) (int, error) {
	if r.config["source.kafka.group_protocol"] == "consumer" {
		groups, err := r.admin.DescribeConsumerGroups(ctx, r.group)
		if err != nil {
			return 0, err
		}
		return len(groups[r.group].Members), groups[r.group].Err
	}
	groups, err := r.admin.DescribeGroups(ctx, r.group)
	if err != nil {
		return 0, err
	}
	return len(groups[r.group].Members), groups[r.group].Err
}
