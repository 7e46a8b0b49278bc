package kafkasink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/record"
	"streamer/internal/sink"
)

var errClosed = errors.New("kafka sink is closed")

// Cluster is what the sink needs from those who know the connections.
type Cluster struct {
	// Path is the section of the configuration that faults name; empty is sink.kafka.
	Path string
	// NewClient makes a client of the sink's cluster with the connection's options and, after them, the given ones. The
	// sink closes it. It is called again when a client cannot go on, after that one was closed. kgo logs a line at level
	// info for every batch ("flushing"), so its log must be lowered.
	NewClient func(opts ...kgo.Opt) (*kgo.Client, error)
	// InputPartitions returns the partition count of each input topic.
	InputPartitions func(ctx context.Context) (map[string]int, error)
}

// Sink produces to the configured topics.
type Sink struct {
	cfg     Config
	cluster Cluster
	logger  *slog.Logger
	health  *health
	gate    gate        // closed while a round is handed over
	short   atomic.Bool // a record was placed in a partition that the client does not know yet

	// Only the writer's goroutine uses these.
	client    *kgo.Client
	placement placement
	poisoned  bool // the client must be replaced
	unplaced  bool // placement must be looked up again
	closed    bool
	shipped   map[*record.Block]*shipment // what a failed Write left; empty after a successful one
	spare     []kgo.Record                // the last batch's records, to be used again
	paces     map[place]*pace             // of partitions in which a record was refused; empty after a successful Write
	warned    time.Time                   // when a refused record batch was last logged

	mu sync.Mutex // guards the shipments' counters, their wait and the round's failures
}

// New connects, checks that the topics exist or creates them, and decides how records are placed. It fails when ctx ends
// first, with what was in the way.
func New(ctx context.Context, cfg Config, cluster Cluster, logger *slog.Logger) (*Sink, error) {
	if cluster.Path == "" {
		cluster.Path = "sink.kafka"
	}
	s := &Sink{cfg: cfg, cluster: cluster, logger: logger, health: &health{}, gate: newGate()}
	if err := s.connect(); err != nil {
		return nil, err
	}
	if err := s.place(ctx); err != nil {
		s.client.Close()
		return nil, err
	}
	return s, nil
}

func (s *Sink) connect() error {
	compression, _ := codec(s.cfg.Compression)
	client, err := s.cluster.NewClient(
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerBatchCompression(compression),
		kgo.ProducerBatchMaxBytes(int32(s.cfg.MaxMessageBytes)), // bounded by Validate
		kgo.RecordPartitioner(partitioner(&s.short)),
		// Nothing is sent before a batch is complete: full record batches without a linger, and no early failure while the
		// rest is still being handed over.
		kgo.ManualFlushing(),
		// The batch is in memory already, within the budget; a limit here could only fail it.
		kgo.MaxBufferedRecords(math.MaxInt32),
		kgo.WithHooks(s.health, s.gate),
	)
	if err != nil {
		return fmt.Errorf("connect sink: %w", err)
	}
	s.client = client
	return nil
}

// place looks up the partition counts and decides anew.
func (s *Sink) place(ctx context.Context) error {
	outputs, err := s.ensureTopics(ctx)
	if err != nil {
		return err
	}
	if err := s.acquaint(ctx); err != nil {
		return err
	}
	inputs, err := s.cluster.InputPartitions(ctx)
	if err != nil {
		return fmt.Errorf("look up partitions of the input: %w", err)
	}
	next := placement{outputs: outputs, inputs: inputs}
	next.tell(s.logger, s.placement)
	if next.shrunk(s.placement) { // what was placed by the old count would wait for ever
		s.shipped, s.spare, s.paces = nil, nil, nil
	}
	s.placement = next
	return nil
}

// Write produces the batch and waits until all of it is acknowledged. Records that an earlier Write of the same blocks
// got acknowledged are not produced again.
func (s *Sink) Write(ctx context.Context, batch *record.Batch) error {
	if s.closed {
		return &sink.PermanentError{Err: errClosed}
	}
	s.health.begin()
	defer s.health.end()
	if err := s.prepare(ctx, batch); err != nil {
		return err
	}
	ships, err := s.admit(ctx, batch)
	if err != nil {
		return err
	}
	// What an earlier Write left behind settles first: only then is it known what must go again, and in which order.
	if err := s.await(ctx, ships); err != nil {
		return err
	}
	for _, ship := range ships {
		if ship.again {
			ship.adapt()
		}
	}
	for {
		done, err := s.round(ctx, ships)
		if done {
			s.unload()
			return nil
		}
		if err != nil && (sink.Classify(err) != sink.Ended || ctx.Err() != nil) {
			return err
		}
		// More is to be sent, or the context that ended is an earlier Write's: its records stood before ours, and the client
		// fails a partition as a whole. They are gone now, so ours go again.
	}
}

// admit loads the batch, unless there are records in it that cannot go.
func (s *Sink) admit(ctx context.Context, batch *record.Batch) ([]*shipment, error) {
	ships, refused := s.load(batch)
	if !slices.ContainsFunc(refused, outgrown) {
		return ships, sink.RejectAll(refused)
	}
	// The topic may have grown since.
	s.client.ForceMetadataRefresh()
	if err := s.place(ctx); err != nil {
		return nil, s.lookupFailed(ctx, err)
	}
	ships, refused = s.load(batch)
	return ships, sink.RejectAll(refused)
}

// outgrown reports that a record asks for a partition that was not there when the partitions were counted.
func outgrown(refused sink.Rejection) bool {
	_, missing := errors.AsType[*partitionError](refused.Err)
	return missing
}

// prepare replaces a client that cannot go on, and looks again at topics that have grown or are new.
func (s *Sink) prepare(ctx context.Context, batch *record.Batch) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("produce: %w", err)
	}
	if s.poisoned {
		s.client.Close()
		if err := s.connect(); err != nil {
			return err
		}
		s.poisoned, s.unplaced = false, true
	}
	for _, block := range batch.Blocks {
		if block.Len() > 0 && !s.placement.covers(block.Owner) {
			s.unplaced = true
		}
	}
	if !s.unplaced {
		return nil
	}
	s.client.ForceMetadataRefresh()
	if err := s.place(ctx); err != nil {
		return s.lookupFailed(ctx, err)
	}
	s.unplaced = false
	return nil
}

// lookupFailed makes a failed look-up in the middle of a run a reason to wait, unless the topic is gone for good.
func (s *Sink) lookupFailed(ctx context.Context, err error) error {
	if _, missing := errors.AsType[*MissingTopicError](err); missing {
		return &sink.PermanentError{Err: err}
	}
	if ctx.Err() != nil {
		return err
	}
	return &sink.RetryableError{Err: err}
}

// await flushes until nothing of the shipments is pending any more. It returns early when ctx ends, and when a record
// failed for good.
func (s *Sink) await(ctx context.Context, ships []*shipment) error {
	w := &wait{done: make(chan struct{})}
	s.mu.Lock()
	for _, ship := range ships {
		if ship.wait = nil; ship.pending > 0 {
			ship.wait = w
			w.left++
		}
	}
	settled := w.left == 0
	s.mu.Unlock()
	if settled {
		return nil
	}

	// Flush waits for all that is buffered, of shipments that have left the batch too, so it is not what Write waits for.
	flushing, stop := context.WithCancel(context.WithoutCancel(ctx))
	flushed := make(chan struct{})
	go func() { // ended by stop
		defer close(flushed)
		_ = s.client.Flush(flushing) // fails only with its context
	}()
	defer func() {
		stop()
		<-flushed
	}()
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("produce: %w", context.Cause(ctx))
	}
}

// Waiting returns what the brokers refuse or why they cannot be reached, while a Write waits for them.
func (s *Sink) Waiting() error { return s.health.waiting() }

// Close closes the client. Records that are not acknowledged are dropped.
func (s *Sink) Close() error {
	if !s.closed {
		s.closed = true
		s.client.Close()
	}
	return nil
}
