package streamer

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"streamer/internal/batcher"
	"streamer/internal/kafka"
	"streamer/internal/partitionstream"
	"streamer/internal/pipeline"
	"streamer/internal/processor"
	"streamer/internal/record"
	"streamer/internal/setting"
	"streamer/internal/sink"
)

// member is one replica: the service's own stages around a sink, a worker and a network that misbehave.
type member struct {
	w          *world
	client     *kgo.Client
	assignment *partitionstream.Assignment
	delivery   *delivery
	sink       *unreliableSink
	link       *link
	failed     failure
	stages     *stages
}

// source answers look-ups from the broker itself.
type source struct{ w *world }

func (s source) Start(_ context.Context, missing map[string][]int32) (map[string]map[int32]int64, error) {
	at := map[string]map[int32]int64{topic: {}}
	for _, id := range missing[topic] {
		at[topic][id] = 0
	}
	return at, nil
}

func (s source) Committed(ctx context.Context, of map[string][]int32) (map[string]map[int32]int64, error) {
	all, err := s.w.admin.FetchOffsets(ctx, group)
	at := map[string]map[int32]int64{topic: {}}
	for _, id := range of[topic] {
		if c, ok := all.Lookup(topic, id); ok && c.At >= 0 {
			at[topic][id] = c.At
		}
	}
	return at, err
}

func (source) Reset(context.Context, string, int32, int64) (int64, error) {
	return 0, errors.New("out of range")
}

func (source) ProbeTail(_ context.Context, _ string, _ int32, position, _ int64) (int64, error) {
	return position, nil
}

// slowWorker passes records through, now and then slowly.
type slowWorker struct {
	rand *rand.Rand
	most time.Duration
}

func (s slowWorker) Process(b *record.Block) {
	if s.most > 0 && s.rand.IntN(3) == 0 {
		time.Sleep(upTo(s.rand, s.most)) // virtual
	}
	for _, r := range b.In {
		b.Out = append(b.Out, record.Output{Value: r.Value, Offset: r.Offset})
	}
	b.In = nil
}

// join starts a member whose intervals, bounds and delays are drawn.
func (w *world) join() {
	w.t.Helper()
	w.joined++
	m := &member{
		w: w, sink: &unreliableSink{w: w, rand: w.child()}, link: &link{dial: w.network.DialContext},
		failed: failure{happened: make(chan struct{})}, stages: newStages(w.t.Context()),
	}
	blocks := partitionstream.Config{
		Interval: setting.Duration(w.rand.Int64N(3) * int64(100*time.Millisecond)), MaxRecords: 1 + w.rand.IntN(20), MaxBytes: 1 << 20,
	}
	batches := batcher.Config{
		Interval: setting.Duration(w.rand.Int64N(3) * int64(500*time.Millisecond)), MaxRecords: 1 + w.rand.IntN(100), MaxBytes: 1 << 20,
	}
	m.connect(blocks, batches, upTo(w.rand, 2*time.Second))
	cfg := kafka.DefaultSourceConfig()
	cfg.Topics, cfg.Group, cfg.GroupProtocol = []string{topic}, group, kafka.ProtocolConsumer
	opts, _ := kafka.SourceOptions(cfg, 1<<20)
	m.client = w.newClient("source", m.link.Dial, append(opts, m.assignment.Options()...)...)
	m.stages.run("assignment", m.stages.last, func(ctx context.Context) error { return m.assignment.Run(ctx, m.client) })
	w.members = append(w.members, m)
}

func upTo(r *rand.Rand, most time.Duration) time.Duration {
	return time.Duration(r.Int64N(int64(most)))
}

func (w *world) child() *rand.Rand { return rand.New(rand.NewPCG(w.rand.Uint64(), 0)) }

func (m *member) connect(block partitionstream.Config, batch batcher.Config, slowest time.Duration) {
	registry, log := prometheus.NewRegistry(), slog.New(slog.DiscardHandler)
	metrics := batcher.NewMetrics(registry)
	blocks := make(chan *record.Block, 2)
	wants, gives := make(chan struct{}), make(chan *record.Batch)
	sequencer := newSequencer(batch, metrics)
	sequencer.blocks, sequencer.wants, sequencer.gives = blocks, wants, gives
	sequencer.failures = failureLog{log: log}
	retry := sink.DefaultConfig()
	m.delivery = &delivery{
		writer: sink.NewWriter(m.sink, retry, log, sink.NewMetrics(registry, "sink")), wants: wants, batches: gives,
		metrics: metrics, history: newHistory(), dead: make(chan struct{}), ended: make(chan struct{}),
		failed: func(err error, _ bool) { m.failed.fail(err) }, breaker: newBreaker(pipeline.CircuitBreaker{}),
		refusals: &refusals{}, reducer: func(context.Context) *pipeline.Reducer { return nil },
	}
	workers := []processor.Worker{slowWorker{m.w.child(), slowest}, slowWorker{m.w.child(), slowest}}
	var made atomic.Int32
	pool := processor.New(len(workers), func(context.Context) processor.Worker { return workers[made.Add(1)-1] }, blocks,
		processor.NewMetrics(registry), func() { m.assignment.WorkerIdle() })
	m.assignment = partitionstream.New(block, partitionstream.Deps{
		Pool: pool, Downstream: sequencer, Source: source{m.w},
		Levels: partitionstream.Levels{Low: 4_000, High: 8_000, Full: 16_000},
		Logger: log, Metrics: partitionstream.NewMetrics(registry), Fail: m.failed.fail,
		Forget: func(map[string][]int32) {}, DrainTimeout: 3 * time.Second,
	})
	sequencer.fenced, sequencer.hurry = m.assignment.Fenced, m.assignment.Hurry
	sequencer.stopped = func(record.Owner, *record.Failure) {}
	m.delivery.acknowledged = m.assignment.Acknowledged
	m.stages.run("pool", m.stages.work, pool.Run)
	m.stages.run("union", m.stages.work, sequencer.Run)
	m.stages.run("delivery", m.stages.work, m.delivery.Run)
}

// leave drops the member from the world's list.
func (w *world) leave(m *member) {
	for i, other := range w.members {
		if other == m {
			w.members = append(w.members[:i], w.members[i+1:]...)
			return
		}
	}
}

// stop ends the member cleanly, as SIGTERM does.
func (m *member) stop() {
	m.w.t.Helper()
	drained := m.assignment.Stop()
	m.w.until("a stop drains", func() bool {
		select {
		case <-drained:
			return true
		default:
			return false
		}
	})
	m.w.until("no byte is counted after a drain", func() bool { return m.assignment.Budget().Used() == 0 })
	var group errgroup.Group
	group.Go(func() error { return m.client.LeaveGroupContext(m.w.t.Context()) })
	if err := group.Wait(); err != nil {
		m.w.t.Fatalf("leave group: %v", err)
	}
	m.end()
}

// crash ends the member as kill -9 does: nothing more gets out.
func (m *member) crash() {
	m.sink.dead.Store(true)
	m.link.cut(true)
	m.end()
}

func (m *member) end() {
	m.w.t.Helper()
	m.w.leave(m)
	m.assignment.Close()
	if err := m.stages.end(); err != nil {
		m.w.t.Fatalf("end: %v", err)
	}
	m.client.Close()
	if err := m.failed.err(); err != nil {
		m.w.t.Fatalf("a member failed: %v", err)
	}
}

// link is a member's way to the broker, which can be cut and mended.
type link struct {
	dial func(context.Context, string, string) (net.Conn, error)

	mu    sync.Mutex
	down  bool
	conns []net.Conn
}

func (l *link) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	conn, err := l.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	l.conns = append(l.conns, conn)
	return tcp{conn}, nil
}

// tcp has the errors of a network connection where a pipe has its own.
type tcp struct{ net.Conn }

func (c tcp) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	return n, networkError("read", err)
}

func (c tcp) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	return n, networkError("write", err)
}

func networkError(op string, err error) error {
	if errors.Is(err, io.ErrClosedPipe) {
		return &net.OpError{Op: op, Net: "tcp", Err: net.ErrClosed}
	}
	return err
}

func (l *link) cut(down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = down
	for _, conn := range l.conns {
		_ = conn.Close()
	}
	l.conns = nil
}

// unreliableSink writes to the ledger, sometimes late, in part, or not at all.
type unreliableSink struct {
	w    *world
	rand *rand.Rand // only used by Write
	hung atomic.Bool
	dead atomic.Bool
	sick atomic.Int64 // so many writes fail
}

func (s *unreliableSink) Write(ctx context.Context, b *record.Batch) error {
	for first := true; first || s.hung.Load(); first = false {
		select {
		case <-time.After(upTo(s.rand, 200*time.Millisecond)): // virtual
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	part := b.Records
	if s.sick.Add(-1) >= 0 {
		part = s.rand.IntN(b.Records + 1)
	}
	for o, out := range b.Outputs {
		if part--; part < 0 {
			return &sink.RetryableError{Err: errors.New("the sink is sick")}
		}
		if s.dead.Load() {
			return context.Canceled
		}
		s.w.ledger.add(o.Partition, out.Offset, out.Value)
	}
	return nil
}

func (*unreliableSink) Close() error { return nil }
