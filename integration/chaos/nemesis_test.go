//go:build chaos && linux

package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"streamer/integration/eventually"
	"streamer/integration/ledger"
	"streamer/integration/service"
)

// Faults of processes.

// killed kills a process that has delivered something: one that has only begun has nothing to lose.
func killed(r *rig) {
	p := r.running()
	r.await(liveness, p.name+" to deliver", func(ctx context.Context) error {
		status, err := p.Look(ctx)
		if err == nil && status.Totals.Delivered == 0 {
			err = fmt.Errorf("it owns %d partitions and delivered nothing yet", len(status.Partitions))
		}
		return err
	})
	r.hold(upTo(r, 200*time.Millisecond)) // anywhere in a batch
	r.kill(p)
	r.hold(upTo(r, 300*time.Millisecond))
	r.start(p)
}

// patient lets no drain run out of time, for scenarios without duplicates: behind a backlog on a slow way, or on a busy
// machine, three seconds are not always enough.
func patient(*rig) service.Config { return service.Config{"source.kafka.drain_timeout": "20s"} }

func slowSink(r *rig) service.Config { return sinkBehindProxy(r).With(patient(r)) }

func terminated(r *rig) {
	p := r.running()
	r.ready(p)
	r.stop(p)
	r.start(p)
}

// frozen stops a process for longer than its session, so that others take over, and lets it go on as if nothing had been.
func frozen(r *rig) {
	p := r.running()
	r.freeze(p)
	r.hold(between(r, 8*time.Second, 11*time.Second))
	r.thaw(p)
}

func (r *rig) freeze(p *replica) {
	r.watch.remove(p.Service)
	p.Send(r.t, syscall.SIGSTOP)
}

func (r *rig) thaw(p *replica) {
	p.Send(r.t, syscall.SIGCONT)
	r.watch.add(p.Service, p.name)
}

// Faults of the group.

func protocol(name string) func(*rig) service.Config {
	config := service.Config{"source.kafka.group_protocol": name, "source.kafka.session_timeout": "6s"}
	if name == "consumer" {
		config["source.kafka.session_timeout"] = nil // the broker's setting, which is the same
	}
	return func(*rig) service.Config { return config }
}

// shortSessions lets the group notice soon that a member is dead.
func shortSessions(*rig) service.Config {
	return service.Config{"source.kafka.group_protocol": "classic", "source.kafka.session_timeout": "2s"}
}

// churn lets a member leave or join, and the next do so within half a second: a rebalance overtakes the one before.
func churn(r *rig) {
	var idle []*replica
	var live []*replica
	for _, p := range r.replicas {
		switch {
		case p.Service == nil:
			idle = append(idle, p)
		case p.Live(r.t.Context()) == nil: // a younger one has no handler for signals yet
			live = append(live, p)
		}
	}
	if len(idle) > 0 && (len(live) < 2 || r.rand.IntN(2) == 0) {
		r.start(idle[r.rand.IntN(len(idle))])
	} else if len(live) > 0 {
		r.stop(live[r.rand.IntN(len(live))])
	}
}

// handOver lets a member leave and come back while every write takes a while: what is on its way at a revoke has to be
// waited for.
func handOver(r *rig) {
	p := r.running()
	r.sink.Delay(100 * time.Millisecond)
	r.ready(p)
	r.stop(p)
	r.start(p)
	r.await(membership, "the group to be shared again", r.members)
	r.progressed(500)
	r.sink.Pass()
}

// kicked removes the first member while its way to the group hangs, so that it has commits to send under a membership
// that it does not have any more. Another takes over and commits further.
func kicked(r *rig) {
	first, second := r.replicas[0], r.replicas[1]
	r.await(membership, "both to be members", r.members)
	r.source.Hang()
	r.removeMembers(first)
	r.await(liveness, "the other to own all", func(ctx context.Context) error {
		status, err := second.Look(ctx)
		if err == nil && len(status.Partitions) != partitions {
			err = fmt.Errorf("it owns %d", len(status.Partitions))
		}
		return err
	})
	r.progressed(1_000)
	r.source.Pass()
}

// often acknowledges and commits as often as it goes.
func often(*rig) service.Config {
	return service.Config{"block.interval": "0", "batch.interval": "0"}.With(protocol("classic")(nil))
}

// allKicked removes all members at once. Which of them comes back first is chance.
func allKicked(r *rig) {
	r.removeMembers(r.replicas...)
	r.progressed(1_000)
}

func (r *rig) removeMembers(replicas ...*replica) {
	var names []string
	for _, p := range replicas {
		names = append(names, p.name)
	}
	r.broker.RemoveMembers(r.t, r.group, names...)
}

func partitionsAdded(r *rig) {
	r.stopLoad()
	count := len(r.ends()) + 1
	for _, topic := range []string{r.output, r.Topic} {
		eventually.Holds(r.t, patience, "a partition to be added", func(ctx context.Context) error {
			done, err := r.admin.UpdatePartitions(ctx, count, topic)
			if err == nil {
				err = done.Error()
			}
			return err
		})
		r.broker.UntilPartitions(r.t, topic, count)
	}
	r.Grow(count)
	r.Use(r.broker.Client(r.t, ledger.ProducerOpts()...)) // the old one does not know the partition yet
	r.load(func(ctx context.Context) error { return r.Stream(ctx, 10, 10*time.Millisecond) })
	r.hold(upTo(r, time.Second))
}

// Faults of brokers.

func brokerStopped(r *rig) {
	if err := r.broker.Stop(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	r.reports(r.running(), "broker-lost")
	r.hold(upTo(r, 8*time.Second))
	r.restartBroker()
}

func brokerKilled(r *rig) {
	if err := r.broker.Kill(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	r.hold(upTo(r, time.Second))
	r.restartBroker()
}

func (r *rig) restartBroker() {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	if err := r.broker.Restart(ctx); err != nil {
		r.t.Fatal(err)
	}
}

// Faults of the network. The first replica's way to its source has a proxy, or the way of all to the sink.

func sourceBehindProxy(r *rig) service.Config {
	r.source = r.broker.Proxied(r.t)
	return service.Config{"kafka.brokers": []string{r.source.Addr()}}
}

// classicBehindProxy is for removing members, which a broker does for no other protocol.
func classicBehindProxy(r *rig) service.Config {
	return sourceBehindProxy(r).With(protocol("classic")(r))
}

func sinkBehindProxy(r *rig) service.Config {
	r.sink = r.broker.Proxied(r.t)
	return service.Config{"sink.kafka.brokers": []string{r.sink.Addr()}}
}

func sourceCut(r *rig) {
	r.source.Cut()
	r.reports(r.replicas[0], "broker-lost")
	r.hold(upTo(r, 8*time.Second)) // past the session, or not
	r.source.Pass()
}

func sourceHung(r *rig) {
	r.source.Hang()
	r.reports(r.replicas[0], "broker-lost")
	r.hold(upTo(r, 3*time.Second))
	r.source.Pass()
}

func sourceDelayed(r *rig) {
	r.source.Delay(between(r, 50*time.Millisecond, 400*time.Millisecond))
	r.hold(between(r, 2*time.Second, 5*time.Second))
	r.source.Pass()
}

func sourceTrickles(r *rig) {
	r.source.Trickle()
	r.hold(between(r, 5*time.Second, 12*time.Second))
	r.source.Pass()
}

// answersTorn resets connections in the middle of answers: fetches, heartbeats, commits.
func answersTorn(r *rig) {
	r.source.Tear()
	r.hold(between(r, 500*time.Millisecond, 3*time.Second))
	r.source.Pass()
}

// Faults of the sink.

func sinkDelayed(r *rig) {
	r.sink.Delay(between(r, 300*time.Millisecond, time.Second))
	r.hold(between(r, 2*time.Second, 5*time.Second))
	r.sink.Pass()
}

func sinkHung(r *rig) {
	r.sink.Hang()
	r.reports(r.running(), "sink-blocked", "retrying", "paused-memory")
	r.hold(upTo(r, 8*time.Second))
	r.sink.Pass()
}

func sinkCut(r *rig) {
	r.sink.Cut()
	r.reports(r.running(), "sink-blocked", "retrying")
	r.hold(upTo(r, 4*time.Second))
	r.sink.Pass()
}

// sinkUnavailable takes the right to write to the topic away. (min.insync.replicas above the replication factor has no
// effect since Kafka 4.)
func sinkUnavailable(r *rig) {
	r.deny(r.output)
	r.reports(r.running(), "sink-blocked", "retrying")
	r.hold(upTo(r, 5*time.Second))
	r.allow(r.output)
}

func (r *rig) deny(topic string) {
	r.t.Helper()
	deny := kadm.NewACLs().Topics(topic).ResourcePatternType(kadm.ACLPatternLiteral).Operations(kadm.OpWrite).
		Deny("User:*").DenyHosts("*")
	done, err := r.admin.CreateACLs(r.t.Context(), deny)
	for _, acl := range done {
		err = errors.Join(err, acl.Err)
	}
	if err != nil {
		r.t.Fatalf("take %s away: %v", topic, err)
	}
}

func (r *rig) allow(topic string) {
	r.t.Helper()
	all := kadm.NewACLs().Topics(topic).ResourcePatternType(kadm.ACLPatternLiteral).Operations(kadm.OpWrite).
		Deny("User:*").DenyHosts("*")
	done, err := r.admin.DeleteACLs(r.t.Context(), all)
	for _, acl := range done {
		err = errors.Join(err, acl.Err)
	}
	if err != nil {
		r.t.Fatalf("give %s back: %v", topic, err)
	}
}

// Faults of the input's log.

func outOfRange(policy string) func(*rig) service.Config {
	return func(*rig) service.Config { return service.Config{"source.kafka.on_out_of_range": policy} }
}

// deleteAhead deletes records of one partition that no replica has read yet: all are frozen meanwhile.
func (r *rig) deleteAhead() int32 {
	for _, p := range r.replicas {
		r.freeze(p)
	}
	r.hold(300 * time.Millisecond) // written and not read
	ends := r.ends()
	partition := r.rand.Int32N(partitions)
	r.delete(partition, ends[partition])
	r.hold(300 * time.Millisecond) // left in the log
	for _, p := range r.replicas {
		r.thaw(p)
	}
	return partition
}

func (r *rig) delete(partition int32, to int64) {
	offsets := kadm.Offsets{}
	offsets.AddOffset(r.Topic, partition, to, -1)
	eventually.Holds(r.t, patience, "records to be deleted", func(ctx context.Context) error {
		done, err := r.admin.DeleteRecords(ctx, offsets)
		if err == nil {
			err = done.Error()
		}
		return err
	})
	r.deletedTo[partition] = max(r.deletedTo[partition], to)
}

func recordsDeleted(r *rig) {
	partition := r.deleteAhead()
	beyond := map[int32]int64{partition: r.deletedTo[partition]}
	r.await(liveness, "the partition to go on behind what was deleted", r.watch.healed(beyond))
	if r.config["source.kafka.on_out_of_range"] == "latest" {
		// It went on somewhere between what was deleted and the end, and may have left out what lay between.
		r.deletedTo[partition] = max(r.deletedTo[partition], r.ends()[partition])
	}
}

// deletedAndSet is for the policy fail: every process that has the partition stops and says so, until somebody moves the
// group.
func deletedAndSet(r *rig) {
	partition := r.deleteAhead()
	for range r.replicas { // one after the other gets the partition
		r.fails(r.failing())
	}
	at := fmt.Sprintf("%s/%d", r.Topic, partition)
	config := service.WriteConfig(r.t, r.config)
	var out service.Output
	r.await(liveness, "the group to be moved", func(context.Context) error {
		out = r.binary.Command(r.t, "offsets", "set", "--group", r.group, "--to", "earliest", at, "-c", config, "--execute")
		if out.Code != 0 { // the sessions of those that failed may not have ended yet
			return fmt.Errorf("offsets set: exit code %d: %s", out.Code, out.Stderr)
		}
		return nil
	})
	for _, p := range r.replicas {
		r.start(p)
	}
}
