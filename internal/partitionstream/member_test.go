package partitionstream

import (
	"context"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/kafka"
	"streamer/internal/record"
	"streamer/internal/setting"
)

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
	cfg := kafka.DefaultSourceConfig()
	cfg.Topics, cfg.GroupProtocol, cfg.InstanceID = []string{topic}, s.protocol, s.instance
	cfg.SessionTimeout = setting.Duration(6 * time.Second)
	if s.direct == nil {
		cfg.Group = group
	}
	opts, sizer := kafka.SourceOptions(cfg, 8*s.levels.High/3) // as the service divides its budget
	m.Assignment = New(s.block, Deps{
		Pool: m.pool, Downstream: m.down, Source: s.source, Levels: s.levels,
		Logger: slog.New(slog.DiscardHandler), Metrics: newTestMetrics(),
		Fail:   func(err error) { m.failed <- err },
		Forget: func(map[string][]int32) {}, Polled: sizer.Polled, ShortBatches: sizer.ShortBatches,
		DrainTimeout: s.drain, Direct: s.direct != nil, End: s.end,
	})
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
