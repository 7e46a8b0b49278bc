package streamer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/admin"
	"streamer/internal/batcher"
	schemaregistry "streamer/internal/codec/registry"
	"streamer/internal/config"
	"streamer/internal/kafka"
	"streamer/internal/partitionstream"
	"streamer/internal/pipeline"
	"streamer/internal/processor"
	"streamer/internal/record"
	"streamer/internal/reference"
	"streamer/internal/sink"
)

// Options are what a service needs beside its configuration.
type Options struct {
	Logger  *slog.Logger
	Stdout  io.Writer // of the stdout sink
	Version string
	// CommandFlags are the flags by which this process reaches its brokers, such as -c and streamer.yaml, one word each.
	// The commands that errors tell the user to type repeat them.
	CommandFlags []string
	// Progress receives a bounded run's progress and report; nil means that it is only logged.
	Progress *Progress
	// Redrive is set if the source is a topic of dead letters.
	Redrive *Redrive
	// Preview makes the run one that shows what it would write; nil for any other.
	Preview *Preview
}

// Service is one configured Streamer. Make it with [New], then call [Service.Run] once; [Service.Status] may be called
// from any goroutine at any time.
type Service struct {
	cfg      config.Config
	opts     Options
	log      *slog.Logger
	registry *prometheus.Registry
	started  time.Time
	budget   int64

	chain      *pipeline.Chain
	schemas    *schemaregistry.Client // nil without a registry
	client     *kgo.Client
	lookups    *kafka.Admin
	plan       *kafka.StartPlan // nil without a group
	bound      *kafka.Ends      // nil without `until`
	assignment *partitionstream.Assignment
	pool       *processor.Pool
	sequencer  *sequencer
	delivery   *delivery
	watch      *lagWatch
	bounded    *boundWatch
	direct     kafka.Offsets // where a run without a group begins
	preview    *preview      // nil unless the run only shows what it would write
	noTopics   bool          // a pattern matched nothing at start
	board      board
	failed     failure
	sizer      *kafka.FetchSizer
	// ping and closeLookups are of the client behind lookups.
	ping         func(context.Context) error
	closeLookups func()
}

// New checks what can be checked without a broker and makes a service that has not begun.
func New(cfg config.Config, opts Options) (*Service, error) {
	shows := newPreview(opts.Preview, cfg)
	if shows != nil {
		cfg = shows.only(cfg)
	}
	budget := memoryBudget(int64(cfg.Memory.Budget))
	registry := newRegistry(opts.Version, budget)
	options := cfg.PipelineOptions()
	if opts.Redrive != nil {
		options.Sources = nil // the pipeline's streams are of the topics that the letters came from
	}
	schemas, err := newRegistryClient(cfg.SchemaRegistry, registry)
	if err != nil {
		return nil, err
	}
	options.Registry = schemas
	tables := reference.Deps{Logger: opts.Logger, Metrics: reference.NewMetrics(registry)}
	options.OpenTable = func(c reference.Config) (*reference.Table, error) { return reference.Open(c, tables) }
	chain, err := pipeline.Compile(cfg.Pipeline, options)
	if err != nil {
		return nil, fmt.Errorf("compile pipeline: %w", err)
	}
	return &Service{
		cfg: cfg, opts: opts, log: opts.Logger, registry: registry, started: time.Now(),
		budget: budget, chain: chain, schemas: schemas,
		failed:       failure{happened: make(chan struct{})},
		closeLookups: func() {}, preview: shows,
	}, nil
}

// newRegistryClient makes the client of the schema registry; nil if none is configured.
func newRegistryClient(c config.SchemaRegistry, metrics prometheus.Registerer) (*schemaregistry.Client, error) {
	if !c.Client.Enabled() {
		return nil, nil //nolint:nilnil // having none is no error
	}
	secure, err := c.TLS.Load("schema_registry.tls")
	if err != nil {
		return nil, err
	}
	client, err := schemaregistry.New(c.Client, secure, metrics)
	if err != nil {
		return nil, fmt.Errorf("reach the schema registry: %w", err)
	}
	return client, nil
}

// Run serves until ctx ends, a bounded run is done, or something fails that cannot be mended by trying again. It returns
// nil only if everything that was received and put into a batch has been delivered and committed.
func (s *Service) Run(ctx context.Context) error {
	limitMemory(s.log)
	defer followHeap(s.budget)()
	s.registry.MustRegister(newStates(s))
	server := admin.New(s.cfg.Admin, admin.Deps{
		Status: s.Status, Live: s.live, Ready: s.ready, Metrics: s.registry, Logger: s.log,
	})
	if err := server.Listen(ctx); err != nil {
		return err
	}
	s.log.Info("streamer starts", "version", s.opts.Version, "admin", server.Addr(),
		"group", s.cfg.Source.Kafka.Group, "sink", s.cfg.Sink.Type, "memory_budget", s.budget)
	stages := newStages(ctx)
	stages.run("admin", stages.last, server.Run)
	err := s.serve(ctx, stages)
	return errors.Join(err, stages.end())
}

// serve builds the graph, runs it and takes it down.
func (s *Service) serve(ctx context.Context, stages *stages) error {
	defer func() { s.closeLookups() }()
	if s.schemas != nil {
		defer s.schemas.Close()
	}
	if err := s.lookUp(ctx); err != nil {
		return unlessStopped(ctx, err)
	}
	out, err := s.openSink(ctx)
	if err != nil {
		return unlessStopped(ctx, err)
	}
	writer := sink.NewWriter(out, s.cfg.Sink.Delivery, s.log, sink.NewMetrics(s.registry, "sink"))
	letters, err := s.openDeadLetters(ctx)
	if err != nil {
		return unlessStopped(ctx, errors.Join(err, writer.Close()))
	}
	s.connect(writer, letters)
	client, sizer, err := s.newClient()
	if err != nil {
		return errors.Join(err, writer.Close(), letters.close())
	}
	s.client, s.sizer = client, sizer
	s.board.build()

	stages.run("assignment", stages.last, func(ctx context.Context) error { return s.assignment.Run(ctx, client) })
	stages.run("pool", stages.work, s.pool.Run)
	stages.run("union", stages.work, s.sequencer.Run)
	stages.run("delivery", stages.work, s.delivery.Run)
	for _, table := range s.chain.Tables() {
		stages.run("reference table", stages.work, table.Run)
	}
	stages.run("lag", stages.intake, s.watch.Run)
	if err := s.begin(stages); err != nil {
		s.failed.fail(err)
	}
	select {
	case <-ctx.Done():
		s.log.Info("stopping: draining", "timeout", s.cfg.Shutdown.Timeout.String())
	case <-s.failed.happened:
		s.log.Error("stopping: draining", "error", s.failed.err())
	case <-s.bounded.finished:
		s.log.Info("stopping: the bounded run is done")
	case <-s.preview.enough():
		s.log.Info("stopping: enough is shown")
	}
	err = s.stop(ctx, stages)
	if s.preview.isFull() { // whether what comes behind was looked at depends on how far the intake was ahead
		return nil
	}
	return err
}

// unlessStopped is err, or nil when it only says that the start was broken off by a stop: nothing was begun.
func unlessStopped(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}

// connect makes the stages between source and sink and ties them together.
func (s *Service) connect(writer *sink.Writer, letters *deadLetters) {
	source := s.cfg.Source.Kafka
	batches := batcher.NewMetrics(s.registry)
	blocks := make(chan *record.Block, s.workers())
	wants, gives := make(chan struct{}), make(chan *record.Batch)

	s.sequencer = newSequencer(s.cfg.Batch, batches)
	s.sequencer.blocks, s.sequencer.wants, s.sequencer.gives = blocks, wants, gives
	s.sequencer.failures = failureLog{log: s.log}
	s.registerUnion()
	records := processor.NewMetrics(s.registry)
	s.delivery = &delivery{
		writer: writer, letters: letters, wants: wants, batches: gives, metrics: batches, history: newHistory(),
		breaker: newBreaker(s.cfg.Pipeline.CircuitBreaker), refusals: s.newRefusals(records), reducer: s.chain.NewReducer,
		dead: make(chan struct{}), ended: make(chan struct{}),
	}
	s.pool = processor.New(s.workers(), s.newWorker, blocks, records, func() { s.assignment.WorkerIdle() })
	s.assignment = partitionstream.New(s.cfg.Block, partitionstream.Deps{
		Pool:         s.pool,
		Downstream:   s.sequencer,
		Source:       &sourceLookups{lookups: s.lookups, plan: s.plan, cfg: source},
		Levels:       levels(s.budget),
		Logger:       s.log,
		Metrics:      partitionstream.NewMetrics(s.registry),
		Fail:         func(err error) { s.failed.fail(s.readError(err)) },
		Forget:       func(gone map[string][]int32) { s.sizer.Forget(gone) },
		Polled:       func() { s.sizer.Polled() },
		ShortBatches: func() uint64 { return s.sizer.ShortBatches() },
		DrainTimeout: time.Duration(source.DrainTimeout),
		Direct:       source.Group == "",
		End:          s.end(),
	})
	s.sequencer.fenced, s.sequencer.hurry = s.assignment.Fenced, s.assignment.Hurry
	s.sequencer.stopped = func(o record.Owner, f *record.Failure) { s.failed.fail(s.recordError(o, f)) }
	s.delivery.acknowledged = s.assignment.Acknowledged
	s.delivery.failed = func(err error, reached bool) { s.failed.fail(s.sinkError(err, reached)) }
	s.watch = &lagWatch{
		lookups: s.lookups, ping: s.ping, isolation: source.Isolation, assignment: s.assignment, log: s.log,
		topics: newTopicWatch(s.lookups, source.Topics, s.failed.fail, s.log),
	}
	s.bounded = &boundWatch{
		ends: s.bound, group: source.Group, assignment: s.assignment, log: s.log,
		progress: s.opts.Progress, started: s.started, finished: make(chan struct{}),
	}
}

// end is how the assignment asks for a bounded run's ends.
func (s *Service) end() func(string, int32) (int64, bool) {
	if s.bound == nil {
		return nil
	}
	return s.bound.End
}

// begin starts what depends on the kind of run: a group begins by itself, a run without one is told its partitions.
func (s *Service) begin(stages *stages) error {
	if s.bound != nil {
		stages.run("bound", stages.intake, func(ctx context.Context) error {
			if err := s.bounded.Run(ctx); err != nil {
				s.failed.fail(err)
			}
			return nil
		})
	}
	if s.cfg.Source.Kafka.Group == "" {
		return s.assignment.BeginDirect(s.direct)
	}
	stages.run("protocol", stages.intake, s.assertProtocol)
	return nil
}

func (s *Service) workers() int {
	if n := s.cfg.Pipeline.Workers; n > 0 {
		return n
	}
	return runtime.GOMAXPROCS(0)
}
