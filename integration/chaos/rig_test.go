//go:build chaos && linux

package chaos_test

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"

	"streamer/integration/eventually"
	"streamer/integration/kafkatest"
	"streamer/integration/ledger"
	"streamer/integration/proxy"
	"streamer/integration/service"
)

// patience is how long the group may take to catch up after a fault ended, and a stall to be reported. It is far above
// what either takes, because three scenarios share a small machine with their brokers.
const patience = 90 * time.Second

// rig is what one scenario plays on. Its methods belong to the test's goroutine.
type rig struct {
	*ledger.Producer
	*result

	t        *testing.T
	plan     scenario
	rand     *rand.Rand
	binary   *service.Binary
	broker   *kafkatest.Broker
	cluster  *kfake.Cluster // of an imitation; else nil
	admin    *kadm.Client
	output   string
	group    string
	config   service.Config
	replicas []*replica
	sampler  *ledger.Sampler
	watch    *watch
	stopLoad func()

	source, sink *proxy.Proxy // if the scenario asked for them
	disk         string
	letters      string // the dead-letter topic, if there is one
	poisons      int
	lastLog      string          // of the last process that failed as it had to
	deletedTo    map[int32]int64 // offsets below it were deleted, and may be lost
}

const partitions = 4

// play plays the scenario with the binary and returns what became of it.
func play(t *testing.T, plan scenario, seed uint64, binary *service.Binary) *result {
	t.Helper()
	name := fnv.New64()
	_, _ = name.Write([]byte(plan.name)) // so that a scenario draws the same whichever others are played
	r := &rig{
		result: &result{name: plan.name}, t: t, plan: plan, rand: rand.New(rand.NewPCG(seed, name.Sum64())), binary: binary,
		deletedTo: map[int32]int64{},
	}
	r.takeStage()
	r.group = kafkatest.Unique("group")
	r.produceTo(r.broker.Topic(t, "in", partitions, nil))
	r.output = r.broker.Topic(t, "out", partitions, nil)
	r.config = r.usual()
	if plan.config != nil {
		r.config = r.config.With(plan.config(r))
	}
	r.watch = startWatch(r)
	defer r.watch.stop()
	for i := range plan.replicas {
		r.addReplica(i)
	}
	if plan.play != nil {
		plan.play(r)
	} else {
		r.begin()
		r.storm()
		r.settle()
		r.account()
	}
	return r.result
}

func (r *rig) takeStage() {
	r.t.Helper()
	switch r.plan.on {
	case shared:
		r.broker = broker
	case own:
		r.broker = broker.Own(r.t, nil)
	case imitation:
		cluster, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.GroupMinSessionTimeout(time.Second))
		if err != nil {
			r.t.Fatal(err)
		}
		r.t.Cleanup(cluster.Close)
		r.cluster = cluster
		r.broker = &kafkatest.Broker{Kind: kafkatest.Embedded, Addrs: cluster.ListenAddrs()}
	}
	r.admin = r.broker.Admin(r.t)
}

func (r *rig) produceTo(input string) {
	r.t.Helper()
	r.Producer = ledger.NewProducer(r.broker.Client(r.t, ledger.ProducerOpts()...), input, kafkatest.Unique("run"), partitions)
	r.Remember = true
}

// usual moves records unchanged in small blocks and batches. Sessions are short, so that a dead member's partitions are
// given away soon.
func (r *rig) usual() service.Config {
	return service.Config{
		"kafka.brokers":              r.broker.Addrs,
		"source.kafka.topics":        []string{r.Topic},
		"source.kafka.group":         r.group,
		"source.kafka.drain_timeout": "3s",
		"block.interval":             "20ms",
		"batch.interval":             "100ms",
		"sink.kafka.topic":           r.output,
		"sink.kafka.brokers":         r.broker.Addrs,
		"memory.budget":              fmt.Sprintf("%dMiB", budget>>20),
	}.With(protocol([]string{"classic", "consumer"}[r.rand.IntN(2)])(r))
}

// begin lets records flow.
func (r *rig) begin() {
	r.t.Helper()
	r.load(func(ctx context.Context) error { return r.Stream(ctx, 10, 10*time.Millisecond) })
	r.sample()
	for _, p := range r.replicas {
		r.start(p)
	}
	r.progressed(1_000)
}

// load runs the writer of records until stopLoad.
func (r *rig) load(write func(context.Context) error) {
	ctx, cancel := context.WithCancel(r.t.Context())
	done := make(chan error, 1)
	go func() { done <- write(ctx) }()
	stopped := false
	r.stopLoad = func() {
		cancel()
		if !stopped {
			stopped = true
			if err := <-done; err != nil {
				r.t.Errorf("producer: %v", err)
			}
		}
	}
	r.t.Cleanup(r.stopLoad)
}

func (r *rig) sample() {
	output := r.output
	if r.disk != "" {
		output = ""
	}
	r.sampler = ledger.StartSampler(r.t.Context(), r.broker.Admin(r.t), r.group, r.Topic, output)
	r.t.Cleanup(func() { r.sampler.Stop() })
}

// storm injects the fault as often as the plan says.
func (r *rig) storm() {
	times := r.plan.times
	if testing.Short() {
		times = max(1, times/2)
	}
	for range times {
		r.hold(upTo(r, 500*time.Millisecond))
		r.plan.inject(r)
		r.injected++
		recovered := r.watch.healed(r.ends())
		if !r.plan.storm {
			r.await(liveness, "what was written by the end of the fault to be committed", recovered)
		}
	}
}

// hold lets a fault, or the time between two, last.
func (r *rig) hold(d time.Duration) {
	select {
	case <-time.After(d):
	case <-r.t.Context().Done():
	}
}

// await waits for a condition, and notes a fault of the kind if it does not come.
func (r *rig) await(what check, name string, condition func(context.Context) error) bool {
	r.t.Helper()
	within := cmp.Or(r.plan.patience, patience)
	if err := eventually.Wait(r.t.Context(), within, condition); err != nil {
		r.faultf(what, "waited %v for %s: %v", within, name, err)
		return false
	}
	return true
}

// settle ends all faults, lets the group catch up, and stops it.
func (r *rig) settle() {
	r.t.Helper()
	for _, p := range r.replicas {
		r.start(p)
	}
	r.stopLoad()
	if r.await(liveness, "the group to catch up after the last fault", r.caughtUp) {
		r.await(membership, "the group to be its running processes", r.members)
		r.await(reason, "everything to be idle", r.idle)
		r.stayIdle()
	}
	for _, p := range r.replicas {
		r.stop(p)
	}
}

// ends are the offsets that the input's partitions end at for a reader of committed records.
func (r *rig) ends() map[int32]int64 {
	r.t.Helper()
	var ends map[int32]int64
	eventually.Holds(r.t, patience, "the ends of the input", func(ctx context.Context) (err error) {
		ends, err = ledger.Ends(ctx, r.admin, r.Topic)
		return err
	})
	return ends
}

func (r *rig) committed(ctx context.Context) (map[int32]int64, error) {
	return ledger.Committed(ctx, r.admin, r.group, r.Topic)
}

func (r *rig) caughtUp(ctx context.Context) error {
	committed, err := r.committed(ctx)
	if err != nil {
		return err
	}
	return behind(committed, r.ends(), true)
}

// behind says which partition has not come to its end, or is past it if that is wrong too.
func behind(committed, ends map[int32]int64, exactly bool) error {
	for partition, end := range ends {
		if at, ok := committed[partition]; (ok || end > 0) && (at < end || exactly && at > end) {
			return fmt.Errorf("partition %d: %d committed of %d; commits %v", partition, at, end, committed)
		}
	}
	return nil
}

// progressed waits until the group has committed n records more.
func (r *rig) progressed(n int64) {
	r.t.Helper()
	r.await(liveness, fmt.Sprintf("%d more records to be committed", n), ledger.Progressed(r.admin, r.group, r.Topic, n))
}

// account compares what was produced with what was delivered.
func (r *rig) account() {
	r.t.Helper()
	l := &ledger.Ledger{Produced: r.Acknowledged(), Delivered: map[string][]ledger.ID{}}
	r.judgeLedger(l)
}

func (r *rig) judgeLedger(l *ledger.Ledger) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	l.Samples = r.sampler.Stop()
	if len(l.Samples) == 0 {
		r.t.Error("commits were never sampled")
	}
	if r.disk != "" {
		r.readDisk(l)
	} else if err := l.ReadOutput(ctx, r.broker.Addrs, r.Run, r.output); err != nil {
		r.t.Fatal(err)
	}
	if r.plan.excuse != nil {
		r.plan.excuse(r, l)
	}
	report := l.Check()
	if r.plan.after != nil {
		r.plan.after(r)
	}
	r.judge(report, r.plan.clean)
	r.t.Logf("%v; %d samples of commits", report, len(l.Samples))
}

// lettersTopic makes the dead-letter topic and returns its settings.
func (r *rig) lettersTopic() service.Config {
	r.letters = r.broker.Topic(r.t, "dead", partitions, nil)
	return service.Config{"dead_letter.topic": r.letters}
}
