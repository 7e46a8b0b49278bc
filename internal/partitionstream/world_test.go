package partitionstream

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/kafka"
	"streamer/internal/record"
	"streamer/internal/setting"
)

const (
	topic = "events"
	group = "g"
)

// world is an embedded broker on a network in memory, so that everything runs in virtual time.
type world struct {
	t       *testing.T
	cluster *kfake.Cluster
	network *kfake.VirtualNetwork
	config  kafka.Config
	client  *kgo.Client // produces and looks
	admin   *kadm.Client
	settle  func() // waits until nothing moves without time
}

// inWorld runs test in a bubble of virtual time with a topic of so many partitions.
func inWorld(t *testing.T, partitions int32, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Helper()
		w := newWorld(t, partitions)
		w.settle = synctest.Wait
		test(t, w)
	})
}

// inRealTime is inWorld for a classic group that joins while commits are due: kgo holds those back by a lock, and virtual
// time stands still while a lock is waited for.
func inRealTime(t *testing.T, partitions int32, test func(t *testing.T, w *world)) {
	t.Helper()
	w := newWorld(t, partitions)
	w.settle = func() {}
	test(t, w)
}

func newWorld(t *testing.T, partitions int32) *world {
	t.Helper()
	network := &kfake.VirtualNetwork{}
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1), kfake.Ports(9092), kfake.ListenFn(network.Listen), kfake.SeedTopics(partitions, topic),
		kfake.GroupMinSessionTimeout(100*time.Millisecond),
	)
	if err != nil {
		t.Fatalf("start broker: %v", err)
	}
	t.Cleanup(cluster.Close)
	w := &world{t: t, cluster: cluster, network: network, config: kafka.DefaultConfig()}
	w.config.Brokers = cluster.ListenAddrs()
	w.client = w.newClient("test", kgo.RecordPartitioner(kgo.ManualPartitioner()))
	w.admin = kadm.NewClient(w.client)
	t.Cleanup(w.client.Close)
	return w
}

func (w *world) newClient(role string, opts ...kgo.Opt) *kgo.Client {
	w.t.Helper()
	opts = append(opts, kgo.Dialer(w.network.DialContext))
	client, err := kafka.NewClient(w.config, kafka.Use{Role: role, Path: "kafka"}, opts...)
	if err != nil {
		w.t.Fatalf("build client: %v", err)
	}
	return client
}

// produce writes count records with values "0", "1", … going on behind from.
func (w *world) produce(partition int32, from, count int) {
	w.t.Helper()
	records := make([]*kgo.Record, 0, count)
	for i := range count {
		records = append(records, &kgo.Record{Topic: topic, Partition: partition, Value: []byte(strconv.Itoa(from + i))})
	}
	if err := w.client.ProduceSync(w.t.Context(), records...).FirstErr(); err != nil {
		w.t.Fatalf("produce: %v", err)
	}
}

// commit is the group's commit of a partition, {-1, -1} if there is none.
func (w *world) commit(partition int32) kgo.EpochOffset {
	w.t.Helper()
	info := w.cluster.GroupInfo(group)
	if info == nil {
		return kgo.EpochOffset{Epoch: -1, Offset: -1}
	}
	c, ok := info.Commits[topic][partition]
	if !ok {
		return kgo.EpochOffset{Epoch: -1, Offset: -1}
	}
	return kgo.EpochOffset{Epoch: c.LeaderEpoch, Offset: c.Offset}
}

// commits is what [Source.Committed] answers.
func (w *world) commits(of map[string][]int32) (map[string]map[int32]int64, error) {
	all := startAt(of, 0)
	for topic, ids := range of {
		for _, id := range ids {
			if all[topic][id] = w.commit(id).Offset; all[topic][id] < 0 {
				delete(all[topic], id)
			}
		}
	}
	return all, nil
}

// until waits, in virtual time, until cond holds and nothing else moves.
func (w *world) until(what string, cond func() bool) {
	w.t.Helper()
	for range 12_000 { // two minutes
		w.settle()
		if cond() {
			return
		}
		time.Sleep(10 * time.Millisecond) // virtual, or the interval of a look
	}
	w.t.Fatalf("never happened: %s", what)
}

// pass lets virtual time go by.
func (w *world) pass(d time.Duration) {
	time.Sleep(d) // virtual
	w.settle()
}

// member is one Assignment with its client; its pool and its downstream do what the test tells them.
type member struct {
	*Assignment

	w       *world
	client  *kgo.Client
	pool    *fakePool
	down    *fakeDownstream
	source  *fakeSource
	failed  chan error
	stopRun context.CancelFunc
	done    chan struct{}
}

// setup is what tests vary.
type setup struct {
	block    Config
	levels   Levels
	drain    time.Duration
	protocol string
	instance string
	direct   kafka.Offsets
	end      func(string, int32) (int64, bool)
	source   *fakeSource
	held     bool // blocks stay in the pool until the test passes them on
	opts     []kgo.Opt
}

func usual() setup {
	return setup{
		block:  Config{Interval: setting.Duration(10 * time.Millisecond), MaxRecords: 100, MaxBytes: 1 << 20},
		levels: Levels{Low: 1 << 19, High: 1 << 20, Full: 1 << 21},
		drain:  5 * time.Second, protocol: kafka.ProtocolClassic,
	}
}

func (w *world) join(s setup) *member {
	w.t.Helper()
	if s.source == nil {
		s.source = &fakeSource{}
	}
	if s.source.committed == nil {
		s.source.committed = w.commits
	}
	m := &member{
		w: w, pool: &fakePool{held: s.held}, source: s.source,
		failed: make(chan error, 16), done: make(chan struct{}),
	}
	m.down = newFakeDownstream(func(b *record.Block) { m.Fenced(b) })
	m.pool.pass = m.down.put
	m.Assignment = New(s.block, Deps{
		Pool: m.pool, Downstream: m.down, Source: s.source, Levels: s.levels,
		Logger: slog.New(slog.DiscardHandler), Metrics: newTestMetrics(),
		Fail:   func(err error) { m.failed <- err },
		Forget: func(map[string][]int32) {}, DrainTimeout: s.drain, Direct: s.direct != nil, End: s.end,
	})
	cfg := kafka.DefaultSourceConfig()
	cfg.Topics, cfg.GroupProtocol, cfg.InstanceID = []string{topic}, s.protocol, s.instance
	cfg.SessionTimeout = setting.Duration(6 * time.Second)
	if s.direct == nil {
		cfg.Group = group
	}
	opts, _ := kafka.SourceOptions(cfg, 8*s.levels.High/3) // as the service divides its budget
	opts = append(opts, m.Options()...)
	if s.direct != nil {
		opts = append(opts, kgo.ConsumePartitions(exactly(s.direct)))
	}
	m.client = w.newClient("source", append(opts, s.opts...)...)
	ctx, cancel := context.WithCancel(context.Background())
	m.stopRun = cancel
	go func() {
		defer close(m.done)
		_ = m.Run(ctx, m.client)
	}()
	w.t.Cleanup(m.kill)
	return m
}

func exactly(offsets kafka.Offsets) map[string]map[int32]kgo.Offset {
	places := make(map[string]map[int32]kgo.Offset)
	for p, at := range offsets.Sorted() {
		if places[p.Topic] == nil {
			places[p.Topic] = make(map[int32]kgo.Offset)
		}
		places[p.Topic][p.Partition] = kgo.NewOffset().At(at)
	}
	return places
}

// kill ends the member without a drain. A second call does nothing.
func (m *member) kill() {
	m.stopRun()
	<-m.done
	m.client.Close()
}

// stop ends the member cleanly.
func (m *member) stop() {
	m.w.t.Helper()
	drained := m.Stop()
	m.w.until("the stop drains", func() bool {
		m.down.deliver()
		m.ack()
		select {
		case <-drained:
			return true
		default:
			return false
		}
	})
	if err := m.client.LeaveGroupContext(m.w.t.Context()); err != nil {
		m.w.t.Fatalf("leave group: %v", err)
	}
	m.kill()
}

// ack acknowledges every delivered batch.
func (m *member) ack() {
	for _, b := range m.down.takeDelivered() {
		m.Acknowledged(b)
	}
}

// flow delivers and acknowledges all there is until the group's commits are as wanted.
func (m *member) flow(what string, cond func() bool) {
	m.w.t.Helper()
	m.w.until(what, func() bool {
		m.down.deliver()
		m.ack()
		m.w.settle()
		return cond()
	})
}

func (m *member) look(partition int32) (PartitionStatus, bool) {
	m.w.t.Helper()
	looks, err := m.Snapshot()
	if err != nil {
		m.w.t.Fatalf("look: %v", err)
	}
	for _, l := range looks {
		if l.Owner.Partition == partition {
			return l, true
		}
	}
	return PartitionStatus{}, false
}

func (m *member) owns() int {
	looks, err := m.Snapshot()
	if err != nil {
		return 0
	}
	return len(looks)
}

func (m *member) mustNotFail() {
	m.w.t.Helper()
	select {
	case err := <-m.failed:
		m.w.t.Fatalf("failed: %v", err)
	default:
	}
}

// idleAtZero checks that no byte is counted.
func (m *member) idleAtZero() {
	m.w.t.Helper()
	m.w.until("no byte is counted as in flight", func() bool { return m.Budget().Used() == 0 })
}

// fakeSource answers look-ups about the log.
type fakeSource struct {
	start func(missing map[string][]int32) (map[string]map[int32]int64, error)
	reset func(position int64) (int64, error)
	probe func(position, end int64) (int64, error)
	// committed answers what the group has committed.
	committed func(of map[string][]int32) (map[string]map[int32]int64, error)
	started   int
}

func (s *fakeSource) Committed(_ context.Context, of map[string][]int32) (map[string]map[int32]int64, error) {
	if s.committed == nil {
		return map[string]map[int32]int64{}, nil
	}
	return s.committed(of)
}

func (s *fakeSource) Start(_ context.Context, missing map[string][]int32) (map[string]map[int32]int64, error) {
	s.started++
	if s.start != nil {
		return s.start(missing)
	}
	return startAt(missing, 0), nil
}

func startAt(missing map[string][]int32, offset int64) map[string]map[int32]int64 {
	at := make(map[string]map[int32]int64)
	for topic, ids := range missing {
		at[topic] = make(map[int32]int64)
		for _, id := range ids {
			at[topic][id] = offset
		}
	}
	return at
}

func (s *fakeSource) Reset(_ context.Context, _ string, _ int32, position int64) (int64, error) {
	if s.reset == nil {
		return 0, fmt.Errorf("position %d is out of range", position)
	}
	return s.reset(position)
}

func (s *fakeSource) ProbeTail(_ context.Context, _ string, _ int32, position, end int64) (int64, error) {
	if s.probe == nil {
		return position, nil
	}
	return s.probe(position, end)
}
