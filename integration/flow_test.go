package integration_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"streamer/integration/kafkatest"
	"streamer/integration/ledger"
	"streamer/integration/service"
)

// flow is what one test moves: an input topic with a producer, an output topic, and a group in between.
type flow struct {
	*ledger.Producer

	broker     *kafkatest.Broker
	admin      *kadm.Client
	partitions int
	output     string
	group      string
	sampler    *ledger.Sampler
}

// newFlow creates an input and an output topic with the same number of partitions on the shared broker.
func newFlow(t *testing.T, partitions int) *flow {
	t.Helper()
	return newFlowOn(t, broker, partitions)
}

func newFlowOn(t *testing.T, on *kafkatest.Broker, partitions int) *flow {
	t.Helper()
	input := on.Topic(t, "in", int32(partitions), nil)
	return newFlowFrom(t, on, input, partitions)
}

// newFlowFrom is newFlowOn with an input topic that exists.
func newFlowFrom(t *testing.T, on *kafkatest.Broker, input string, partitions int) *flow {
	t.Helper()
	client := on.Client(t, ledger.ProducerOpts()...)
	run := kafkatest.Unique("run")
	return &flow{
		Producer:   ledger.NewProducer(client, input, run, partitions),
		broker:     on,
		admin:      on.Admin(t),
		partitions: partitions,
		output:     on.Topic(t, "out", int32(partitions), nil),
		group:      kafkatest.Unique("group"),
	}
}

// config moves records unchanged, in blocks and batches so small that every test sees many of them. Sessions are short,
// so that a crashed member's partitions are given away soon.
func (f *flow) config() service.Config {
	return service.Config{
		"kafka.brokers":                f.broker.Addrs,
		"source.kafka.topics":          []string{f.Topic},
		"source.kafka.group":           f.group,
		"source.kafka.session_timeout": "6s",
		"source.kafka.drain_timeout":   "3s",
		"block.interval":               "20ms",
		"batch.interval":               "100ms",
		"sink.kafka.topic":             f.output,
		"memory.budget":                "64MiB",
	}
}

// reopen gives the producer a new client.
func (f *flow) reopen(t *testing.T) {
	t.Helper()
	f.Use(f.broker.Client(t, ledger.ProducerOpts()...))
}

// fill writes counts[i] records to partition i.
func (f *flow) fill(t *testing.T, counts ...int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), service.Patience)
	defer cancel()
	if err := f.Fill(ctx, counts...); err != nil {
		t.Fatal(err)
	}
}

// sample watches commits from now until the check.
func (f *flow) sample(t *testing.T) {
	t.Helper()
	f.sampler = ledger.StartSampler(t.Context(), f.broker.Admin(t), f.group, f.Topic, f.output)
	t.Cleanup(func() { f.sampler.Stop() })
}

// caughtUp returns nil when the group's commits are at the ends of the input.
func (f *flow) caughtUp(ctx context.Context) error {
	ends, err := f.ends(ctx)
	if err != nil {
		return err
	}
	committed, err := ledger.Committed(ctx, f.admin, f.group, f.Topic)
	if err != nil {
		return err
	}
	for partition, end := range ends {
		if at, ok := committed[partition]; (ok || end > 0) && at != end {
			return fmt.Errorf("partition %d: %d committed of %d; commits %v", partition, at, end, committed)
		}
	}
	return nil
}

// ends are the offsets that the input's partitions end at for a reader of committed records.
func (f *flow) ends(ctx context.Context) (map[int32]int64, error) {
	return ledger.Ends(ctx, f.admin, f.Topic)
}

// progressed waits until the group has committed at least n records more than it has now.
func (f *flow) progressed(t *testing.T, s *service.Service, n int64) {
	t.Helper()
	s.Until(t, fmt.Sprintf("%d more records to be committed", n), ledger.Progressed(f.admin, f.group, f.Topic, n))
}

// read reads both topics.
func (f *flow) read(t *testing.T) *ledger.Ledger {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*service.Patience)
	defer cancel()
	l, err := ledger.Read(ctx, f.broker.Addrs, f.Run, f.Topic, f.output)
	if err != nil {
		t.Fatal(err)
	}
	if f.sampler != nil {
		l.Samples = f.sampler.Stop()
		if len(l.Samples) == 0 {
			t.Error("commits were never sampled")
		}
	}
	return l
}

// report checks what is in the output against what is in the input.
func (f *flow) report(t *testing.T) *ledger.Report {
	t.Helper()
	l := f.read(t)
	report := l.Check()
	t.Logf("%v; %d samples of commits", report, len(l.Samples))
	return report
}

// atLeastOnce fails the test if anything was lost, out of order, or committed too early.
func (f *flow) atLeastOnce(t *testing.T) {
	t.Helper()
	if err := f.report(t).AtLeastOnce(); err != nil {
		t.Error(err)
	}
}

// exactlyOnce is atLeastOnce without duplicates, as after clean stops.
func (f *flow) exactlyOnce(t *testing.T) {
	t.Helper()
	if err := f.report(t).ExactlyOnce(); err != nil {
		t.Error(err)
	}
}

// stream lets a producer run until the returned function is called, which waits for its end.
func (f *flow) stream(t *testing.T, burst int) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f.Stream(ctx, burst, streamPause) }()
	stopped := false
	stop = func() {
		cancel()
		if !stopped {
			stopped = true
			if err := <-done; err != nil {
				t.Errorf("producer: %v", err)
			}
		}
	}
	t.Cleanup(stop)
	return stop
}

// streamPause is the pause between two bursts of a streaming producer.
const streamPause = 10 * time.Millisecond
