package integration_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/integration/eventually"
	"streamer/integration/ledger"
	"streamer/integration/service"
)

// smallBudget is the budget in the tests of hard inputs.
const smallBudget = 32 << 20

// TestMemoryOfHardInputs lets the sink hang and sends what memory is easily misjudged for. It would catch a budget that
// counts compressed bytes, or payload without what a record costs, or what a filter dropped but what still pins memory.
func TestMemoryOfHardInputs(t *testing.T) {
	t.Parallel()
	kilobyte := strings.Repeat("x", 1000)
	for _, input := range []struct {
		name       string
		partitions int
		each       int
		pad        string
		opts       []kgo.Opt
		config     service.Config
		wanted     func(ledger.ID) bool
	}{
		{
			name: "compressed 100 to 1", partitions: 2, each: 60_000, pad: kilobyte,
			opts: []kgo.Opt{kgo.ProducerBatchCompression(kgo.ZstdCompression()), kgo.ProducerLinger(200 * time.Millisecond)},
		},
		{
			name: "a filter that keeps 1 in 1000", partitions: 2, each: 100_000, pad: kilobyte,
			config: service.Config{
				"pipeline.decode": "json", "pipeline.steps": []map[string]any{{"filter": "seq % 1000 == 0"}},
			},
			wanted: func(id ledger.ID) bool { return id.Seq%1000 == 0 },
		},
		{
			name: "records above the fair share", partitions: 8, each: 4, pad: strings.Repeat(kilobyte, 6000),
			opts:   []kgo.Opt{kgo.ProducerBatchMaxBytes(8 << 20), kgo.MaxBufferedRecords(8)},
			config: service.Config{"sink.kafka.max_message_bytes": "8MiB"},
		},
		{name: "1000 partitions", partitions: 1000, each: 100, pad: kilobyte},
	} {
		t.Run(input.name, func(t *testing.T) {
			t.Parallel()
			f := newFlow(t, input.partitions)
			f.allowLarge(t)
			f.Use(f.broker.Client(t, append(ledger.ProducerOpts(), input.opts...)...))
			f.Pad = input.pad
			s, release := f.startHung(t, input.config)
			f.fill(t, ledger.Each(input.partitions, input.each)...)
			f.watchMemory(t, s)
			release()
			s.Until(t, "the group to catch up", f.caughtUp)
			s.UntilStatus(t, "the budget to be free", isFree)
			s.Terminate(t)
			l := f.read(t)
			if input.wanted != nil {
				l.Keep(input.wanted)
			}
			if err := l.Check().AtLeastOnce(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestMemoryOfTinyRecords is TestMemoryOfHardInputs for records of 10 bytes, which have no room to say who they are.
func TestMemoryOfTinyRecords(t *testing.T) {
	t.Parallel()
	const count = 1_000_000
	f := newFlow(t, 2)
	s, release := f.startHung(t, nil)
	client := f.broker.Client(t, ledger.ProducerOpts()...)
	var promise kgo.FirstErrPromise
	for i := range count {
		record := &kgo.Record{Topic: f.Topic, Partition: int32(i % 2), Value: fmt.Appendf(nil, "%010d", i)}
		client.Produce(t.Context(), record, promise.Promise())
	}
	if err := promise.Err(); err != nil {
		t.Fatal(err)
	}
	f.watchMemory(t, s)
	release()
	s.Until(t, "the group to catch up", f.caughtUp)
	s.UntilStatus(t, "the budget to be free", isFree)
	s.Terminate(t)
	seen := make([]bool, count)
	ctx, cancel := context.WithTimeout(t.Context(), service.Patience)
	defer cancel()
	err := ledger.ReadTopic(ctx, f.broker.Addrs, f.output, func(r *kgo.Record) {
		var i int
		if _, err := fmt.Sscanf(string(r.Value), "%d", &i); err != nil || i < 0 || i >= count {
			t.Errorf("stranger %q", r.Value)
			return
		}
		seen[i] = true
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, ok := range seen {
		if !ok {
			t.Fatalf("record %d is lost", i)
		}
	}
}

// allowLarge lets both topics take records of 8 MiB.
func (f *flow) allowLarge(t *testing.T) {
	t.Helper()
	f.broker.Configure(t, map[string]string{"max.message.bytes": "8388608"}, f.Topic, f.output)
}

// startHung starts a service with a small budget, and hangs its way to the sink until release is called.
func (f *flow) startHung(t *testing.T, changes service.Config) (s *service.Service, release func()) {
	t.Helper()
	way := f.broker.Proxied(t)
	s = binary.Start(t, f.config().With(service.Config{"memory.budget": fmt.Sprintf("%dMiB", smallBudget>>20)}).
		With(sinkBehind(way)).With(changes))
	s.Ready(t)
	way.Hang()
	return s, way.Pass
}

// watchMemory looks at the resident memory until the intake is paused, and for longer than a few collections after.
func (f *flow) watchMemory(t *testing.T, s *service.Service) {
	t.Helper()
	var highest int64
	look := func() error {
		rss, err := s.RSS()
		if err != nil {
			return err
		}
		if highest = max(highest, rss); rss > smallBudget+overhead {
			return fmt.Errorf("resident memory is %d MiB, budget %d MiB", rss>>20, smallBudget>>20)
		}
		return nil
	}
	s.UntilStatus(t, "intake to be paused, or all to be read", func(status *service.Status) error {
		if err := look(); err != nil {
			t.Fatal(err)
		}
		if isPaused(status) == nil {
			return nil
		}
		for _, p := range status.Partitions {
			if p.End < 0 || p.Position < p.End {
				return fmt.Errorf("partition %d is at %d of %d, %d bytes in use", p.Partition, p.Position, p.End, status.Memory.Used)
			}
		}
		return nil
	})
	eventually.Throughout(t, 5*time.Second, "with a dead sink", func(context.Context) error { return look() })
	t.Logf("highest resident memory %d MiB with a budget of %d MiB", highest>>20, smallBudget>>20)
}

// isFree returns nil when the budget is not used at all.
func isFree(status *service.Status) error {
	if status.Memory.Used != 0 {
		return fmt.Errorf("%d bytes in use when idle", status.Memory.Used)
	}
	return nil
}
