package streamer

import (
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/batcher"
	"streamer/internal/config"
	"streamer/internal/kafka"
	"streamer/internal/partitionstream"
	"streamer/internal/pipeline"
	"streamer/internal/processor"
	"streamer/internal/record"
	"streamer/internal/setting"
	"streamer/internal/sink"
)

// member is one replica: the service's own stages around a sink, workers and a network that misbehave. What it embeds has
// those stages, so that it can be asked for its status and its health.
type member struct {
	*Service

	w       *world
	sink    *unreliableSink
	letters *unreliableSink
	hung    atomic.Bool // every worker is
	mended  atomic.Bool // for faults of a test

	hungSince time.Time          // when its workers were last seen not to hang
	moved     map[int32]sighting // by partition
	link      *link
	stages    *stages
	admin     *kgo.Client
}

// source answers look-ups as the service does, and tells the ledger what a reset passes over.
type source struct {
	*sourceLookups

	w *world
}

// Reset implements [partitionstream.Source].
func (s source) Reset(ctx context.Context, topic string, partition int32, position int64) (int64, error) {
	to, err := s.sourceLookups.Reset(ctx, topic, partition, position)
	if err == nil {
		s.w.ledger.excuse(partition, to)
	}
	return to, err
}

// tuning is what a member's intervals, bounds and delays are.
type tuning struct {
	block   partitionstream.Config
	batch   batcher.Config
	slowest time.Duration
}

// draw makes them up.
func (w *world) draw() tuning {
	return tuning{
		block: partitionstream.Config{
			Interval:   setting.Duration(w.rand.Int64N(3) * int64(100*time.Millisecond)),
			MaxRecords: 1 + w.rand.IntN(20), MaxBytes: 1 << 20,
		},
		batch: batcher.Config{
			Interval:   setting.Duration(w.rand.Int64N(3) * int64(500*time.Millisecond)),
			MaxRecords: 1 + w.rand.IntN(100), MaxBytes: 1 << 20,
		},
		slowest: upTo(w.rand, 2*time.Second),
	}
}

// join starts a member. It fails to start, and no member is added, if the broker refuses the first commits.
func (w *world) join(with tuning) {
	w.t.Helper()
	w.joined++
	m := &member{w: w, link: &link{dial: w.network.DialContext}, stages: newStages(w.t.Context())}
	m.sink = &unreliableSink{w: w, as: owesOutput, rand: w.child()}
	m.letters = &unreliableSink{w: w, as: owesLetter, rand: w.child()}
	cfg := config.Default()
	cfg.Block, cfg.Batch = with.block, with.batch
	from := &cfg.Source.Kafka
	from.Topics, from.Group, from.GroupProtocol = []string{topic}, group, w.protocol
	from.OnOutOfRange, from.SessionTimeout = w.outOfRange, setting.Duration(session)
	from.DrainTimeout = setting.Duration(3 * time.Second)
	if w.static {
		from.InstanceID = w.freeInstance()
	}
	m.Service = &Service{
		cfg: cfg, log: w.log.With("member", w.joined), registry: prometheus.NewRegistry(), started: time.Now(), budget: 1 << 20,
		failed: failure{happened: make(chan struct{})},
	}
	m.admin = w.newClient("admin", m.link.Dial)
	m.lookups, m.ping = kafka.NewAdmin(m.admin), m.admin.Ping
	if err := m.plans(); err != nil {
		m.admin.Close()
		w.remedy(from, err)
		return
	}
	// So much that a fetch takes all there is: the embedded broker forgets aborted transactions when one does not.
	opts, sizer := kafka.SourceOptions(*from, 1<<28)
	m.connect(with.slowest, sizer)
	m.client = w.newClient("source", m.link.Dial, append(opts, m.assignment.Options()...)...)
	m.begin()
	w.members = append(w.members, m)
}

// plans resolves where partitions without a commit begin.
func (m *member) plans() error {
	ctx, from := m.w.t.Context(), m.cfg.Source.Kafka
	of, err := m.lookups.SourcePartitions(ctx, from)
	if err != nil {
		return err
	}
	return m.retry(ctx, func() error {
		m.plan, err = m.lookups.PrepareStart(ctx, from, of, time.Now())
		return err
	})
}

// freeInstance is the first name that no member has: a member that comes after one that has gone takes its name.
func (w *world) freeInstance() string {
	for i := 0; ; i++ {
		name := "replica-" + strconv.Itoa(i)
		if !slices.ContainsFunc(w.members, func(m *member) bool { return m.cfg.Source.Kafka.InstanceID == name }) {
			return name
		}
	}
}

func (w *world) child() *rand.Rand { return rand.New(rand.NewPCG(w.rand.Uint64(), 0)) }

// connect ties the stages together as [Service.connect] does, around what misbehaves.
func (m *member) connect(slowest time.Duration, sizer *kafka.FetchSizer) {
	metrics := batcher.NewMetrics(m.registry)
	blocks := make(chan *record.Block, 2)
	wants, gives := make(chan struct{}), make(chan *record.Batch)
	m.sequencer = newSequencer(m.cfg.Batch, metrics)
	m.sequencer.blocks, m.sequencer.wants, m.sequencer.gives = blocks, wants, gives
	m.sequencer.failures = failureLog{log: m.log}
	write := func(s sink.Sink, name string) *sink.Writer {
		return sink.NewWriter(s, m.cfg.Sink.Delivery, m.log, sink.NewMetrics(m.registry, name))
	}
	m.delivery = &delivery{
		writer: write(m.sink, "sink"), wants: wants, batches: gives, metrics: metrics, history: newHistory(),
		letters: &deadLetters{writer: write(m.letters, "dead_letter")},
		dead:    make(chan struct{}), ended: make(chan struct{}),
		failed:  func(err error, _ bool) { m.failed.fail(err) },
		breaker: newBreaker(pipeline.CircuitBreaker{}), refusals: m.newRefusals(),
		reducer: func(context.Context) *pipeline.Reducer { return nil },
	}
	workers := make(chan processor.Worker, 2)
	for range cap(workers) {
		workers <- unreliableWorker{m.w, m.w.child(), slowest, &m.hung}
	}
	m.pool = processor.New(cap(workers), func(context.Context) processor.Worker { return <-workers }, blocks,
		processor.NewMetrics(m.registry), func() { m.assignment.WorkerIdle() })
	m.assignment = partitionstream.New(m.cfg.Block, partitionstream.Deps{
		Pool: m.pool, Downstream: m.sequencer,
		Source: source{&sourceLookups{lookups: m.lookups, plan: m.plan, cfg: m.cfg.Source.Kafka}, m.w},
		Levels: partitionstream.Levels{Low: 4_000, High: 8_000, Full: 16_000},
		Logger: m.log, Metrics: partitionstream.NewMetrics(m.registry), Fail: m.failed.fail,
		Forget: func(map[string][]int32) {}, Polled: sizer.Polled, ShortBatches: sizer.ShortBatches,
		DrainTimeout: time.Duration(m.cfg.Source.Kafka.DrainTimeout),
	})
	m.sequencer.fenced, m.sequencer.hurry = m.assignment.Fenced, m.assignment.Hurry
	m.sequencer.stopped = func(o record.Owner, f *record.Failure) { m.failed.fail(m.recordError(o, f)) }
	m.delivery.acknowledged = m.assignment.Acknowledged
	m.watch = &lagWatch{
		lookups: m.lookups, ping: m.ping, isolation: m.cfg.Source.Kafka.Isolation, assignment: m.assignment, log: m.log,
		topics: newTopicWatch(m.lookups, m.cfg.Source.Kafka.Topics, m.failed.fail, m.log),
	}
}

// newRefusals applies the world's policy; the records themselves it makes up, as the log would give them.
func (m *member) newRefusals() *refusals {
	return &refusals{
		onError: pipeline.OnError{Default: m.w.onError}, failed: func(string, string) {}, log: &failureLog{log: m.log},
		original: func(_ context.Context, _ record.Owner, offset int64) (record.DeadLetter, error) {
			return record.DeadLetter{Value: strconv.AppendInt(nil, offset, 10)}, nil
		},
	}
}

func (m *member) begin() {
	m.board.build()
	client := m.client
	m.stages.run("assignment", m.stages.last, func(ctx context.Context) error { return m.assignment.Run(ctx, client) })
	m.stages.run("pool", m.stages.work, m.pool.Run)
	m.stages.run("union", m.stages.work, m.sequencer.Run)
	m.stages.run("delivery", m.stages.work, m.delivery.Run)
	m.stages.run("lag", m.stages.intake, m.watch.Run)
}

// leave drops the member from the world's list.
func (w *world) leave(m *member) {
	w.members = slices.DeleteFunc(w.members, func(other *member) bool { return other == m })
}

func (m *member) heal() {
	m.sink.hung.Store(false)
	m.sink.sick.Store(0)
	m.letters.hung.Store(false)
	m.hung.Store(false)
	if m.link.isDown() {
		m.link.cut(false)
	}
}

func (m *member) kick() {
	m.w.t.Helper()
	id, _ := m.client.GroupMetadata()
	m.w.kick(id)
}

// stop ends the member as SIGTERM does. Nothing stays behind, unless the sink has failed for good.
func (m *member) stop() {
	m.w.t.Helper()
	m.stages.endIntake()
	m.board.draining()
	drained := m.assignment.Stop()
	m.w.until("a stop drains", func() bool {
		if closed(m.delivery.dead) {
			m.assignment.Abandon()
		}
		return closed(drained)
	})
	if !closed(m.delivery.dead) {
		m.w.until("no byte is counted after a drain", func() bool { return m.assignment.Budget().Used() == 0 })
	}
	if err := m.client.LeaveGroupContext(m.w.t.Context()); err != nil {
		m.w.t.Fatalf("leave group: %v", err)
	}
	m.end()
}

// stopInTime ends the member as SIGTERM does when shutdown.timeout is over before what is in a batch is delivered.
func (m *member) stopInTime(limit time.Duration) {
	m.w.t.Helper()
	m.stages.endIntake()
	m.board.draining()
	drained := m.assignment.Stop()
	ctx, cancel := context.WithTimeout(m.w.t.Context(), limit)
	defer cancel()
	select {
	case <-drained:
	case <-ctx.Done():
		m.assignment.Abandon()
		m.stages.endWork()
	}
	grace, cancel := context.WithTimeout(m.w.t.Context(), lastGrace)
	defer cancel()
	_ = m.client.LeaveGroupContext(grace) // or the session ends
	m.end()
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// crash ends the member as kill -9 does: nothing more gets out.
func (m *member) crash() {
	m.w.forgetRefusals()
	m.kill()
	m.w.leave(m)
}

// kill ends all that the member has.
func (m *member) kill() {
	m.sink.dead.Store(true)
	m.letters.dead.Store(true)
	m.link.cut(true)
	m.hung.Store(false)
	m.assignment.Close()
	_ = m.stages.end() // says what it was cut off from
	m.client.Close()
	m.admin.Close()
}

func (m *member) end() {
	m.w.t.Helper()
	m.hung.Store(false)
	m.assignment.Close()
	if err := m.stages.end(); err != nil {
		m.w.t.Fatalf("end: %v", err)
	}
	m.client.Close()
	m.admin.Close()
	m.w.leave(m)
	if err := m.failed.err(); err != nil {
		m.w.remedy(&m.cfg.Source.Kafka, err)
	}
}
