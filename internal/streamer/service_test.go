package streamer

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/config"
	"streamer/internal/sink"
)

// patience is when a test that waits for the service gives up.
const patience = 20 * time.Second

// rig is a whole service on an embedded broker on loopback. Its sink is stdout, which is the test's.
type rig struct {
	t       *testing.T
	cluster *kfake.Cluster
	cfg     config.Config
	out     *output
	service *Service
	stop    context.CancelFunc
	result  chan error
}

func newRig(t *testing.T) *rig {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, topic))
	if err != nil {
		t.Fatalf("start broker: %v", err)
	}
	t.Cleanup(cluster.Close)
	cfg := config.Default()
	cfg.Kafka.Brokers = cluster.ListenAddrs()
	cfg.Source.Kafka.Topics, cfg.Source.Kafka.Group = []string{topic}, group
	cfg.Sink.Type, cfg.Admin.Listen = config.SinkStdout, "127.0.0.1:0"
	cfg.Block.Interval, cfg.Batch.Interval = 0, 0
	return &rig{t: t, cluster: cluster, cfg: cfg, out: newOutput()}
}

func (r *rig) produce(values ...string) {
	r.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(r.cfg.Kafka.Brokers...))
	if err != nil {
		r.t.Fatal(err)
	}
	defer client.Close()
	for _, v := range values {
		if err := client.ProduceSync(r.t.Context(), &kgo.Record{Topic: topic, Value: []byte(v)}).FirstErr(); err != nil {
			r.t.Fatalf("produce: %v", err)
		}
	}
}

func (r *rig) run() {
	r.t.Helper()
	service, err := New(r.cfg, Options{
		Logger: slog.New(slog.DiscardHandler), Stdout: r.out, CommandFlags: []string{"-c", "my streamer.yaml"},
	})
	if err != nil {
		r.t.Fatalf("make service: %v", err)
	}
	ctx, cancel := context.WithCancel(r.t.Context())
	r.service, r.stop, r.result = service, cancel, make(chan error, 1)
	r.t.Cleanup(cancel)
	go func() { r.result <- service.Run(ctx) }()
}

// end waits for what Run returns.
func (r *rig) end() error {
	r.t.Helper()
	select {
	case err := <-r.result:
		return err
	case <-time.After(patience):
		r.t.Fatal("Run does not return")
		return nil
	}
}

func (r *rig) committed() int64 {
	if info := r.cluster.GroupInfo(group); info != nil {
		if c, ok := info.Commits[topic][0]; ok {
			return c.Offset
		}
	}
	return -1
}

// output is what the sink writes to. It can hang and break.
type output struct {
	mu     sync.Mutex
	wrote  bytes.Buffer
	broken error
	hang   chan struct{} // closed: writes pass
	called chan struct{} // one for each write
}

func newOutput() *output {
	o := &output{hang: make(chan struct{}), called: make(chan struct{}, 100)}
	close(o.hang)
	return o
}

func (o *output) Write(p []byte) (int, error) {
	o.called <- struct{}{}
	<-o.hang
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.broken != nil {
		return 0, o.broken
	}
	return o.wrote.Write(p)
}

func (o *output) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.wrote.String()
}

func (r *rig) awaitWrite() {
	r.t.Helper()
	select {
	case <-r.out.called:
	case err := <-r.result:
		r.t.Fatalf("Run returned %v before anything was written", err)
	case <-time.After(patience):
		r.t.Fatal("nothing is written")
	}
}

func TestRegression11CleanStopDeliversAndCommitsOnce(t *testing.T) {
	r := newRig(t)
	r.produce("a", "b", "c")
	r.run()
	r.awaitWrite()
	r.stop()
	if err := r.end(); err != nil {
		t.Fatalf("Run: %v", err)
	}
	first := r.out.text()
	if n := int64(strings.Count(first, "\n")); n == 0 || r.committed() != n {
		t.Fatalf("%d lines and a commit of %d", n, r.committed())
	}
	r.produce("d")
	r.run()
	for !strings.HasSuffix(r.out.text(), "d\n") {
		r.awaitWrite()
	}
	r.stop()
	if err := r.end(); err != nil {
		t.Fatalf("second Run: %v", err)
	}
	if got := r.out.text(); got != "a\nb\nc\nd\n" || r.committed() != 4 {
		t.Fatalf("wrote %q, committed %d; want each once", got, r.committed())
	}
	if used := r.service.assignment.Budget().Used(); used != 0 {
		t.Fatalf("%d bytes are counted after the end", used)
	}
}

func TestAHungSinkIsGivenUpAtTheDeadlineByName(t *testing.T) {
	r := newRig(t)
	r.cfg.Shutdown.Timeout = 200_000_000 // 200 ms
	r.out.hang = make(chan struct{})
	defer close(r.out.hang)
	r.produce("a", "b", "c")
	r.run()
	r.awaitWrite()
	r.stop()
	err := r.end()
	abandoned, ok := errors.AsType[*AbandonedError](err)
	if !ok || len(abandoned.Spans) != 1 || abandoned.Spans[0].Span.First != 0 || abandoned.Spans[0].Span.Next == 0 {
		t.Fatalf("Run: %v; want the abandoned span", err)
	}
	if text := err.Error(); !strings.Contains(text, "events/0 [0,") || !strings.Contains(text, "shutdown.timeout") {
		t.Fatalf("the message names neither the span nor the setting: %s", text)
	}
	if r.committed() != 0 {
		t.Fatalf("committed %d of what the sink never took", r.committed())
	}
}

// The member must be gone from the group though its sink hangs: else its partitions wait for the session timeout.
func TestAHungSinkDoesNotKeepTheMemberInItsGroup(t *testing.T) {
	r := newRig(t)
	r.cfg.Shutdown.Timeout = 200_000_000 // 200 ms
	r.out.hang = make(chan struct{})
	defer close(r.out.hang)
	r.produce("a")
	r.run()
	r.awaitWrite()
	r.stop()
	if r.end() == nil {
		t.Fatal("Run returned nil with a sink that hangs")
	}
	if n := len(r.cluster.GroupInfo(group).Members); n != 0 {
		t.Fatalf("%d members are left", n)
	}
}

func TestASinkThatFailsForGoodStopsTheService(t *testing.T) {
	r := newRig(t)
	broken := errors.New("nobody reads")
	r.out.broken = broken
	r.produce("a", "b", "c")
	r.run()
	err := r.end()
	if !errors.Is(err, broken) {
		t.Fatalf("Run: %v, want the sink's error", err)
	}
	if _, permanent := errors.AsType[*sink.PermanentError](err); !permanent {
		t.Fatalf("Run: %v, want it classed", err)
	}
	if _, named := errors.AsType[*AbandonedError](err); !named {
		t.Fatalf("Run: %v; want the abandoned span named", err)
	}
	if r.committed() != 0 {
		t.Fatalf("committed %d of what the sink refused", r.committed())
	}
}

func TestRegression09PoisonRecordStopsTheServiceAtItself(t *testing.T) {
	for _, at := range []int{0, 3, 9} {
		t.Run(strconv.Itoa(at), func(t *testing.T) {
			r := newRig(t)
			r.cfg.Pipeline.Decode.Value.Format, r.cfg.Pipeline.Encode.Value.Format = "json", "json"
			values := make([]string, 10)
			for i := range values {
				values[i] = strconv.Itoa(i)
			}
			values[at] = "{poison"
			r.produce(values...)
			r.run()
			err := r.end()
			failed, ok := errors.AsType[*RecordError](err)
			if !ok || failed.Failure.Offset != int64(at) {
				t.Fatalf("Run: %v, want the record at %d", err, at)
			}
			command := "streamer offsets skip events/0@" + strconv.Itoa(at) + " --group " + group +
				" -c 'my streamer.yaml' --execute"
			if text := err.Error(); !strings.Contains(text, command) || strings.Contains(text, "{poison") {
				t.Fatalf("the message has not the command, or has the payload: %s", text)
			}
			if c := r.committed(); c != int64(at) {
				t.Fatalf("committed %d, want all before the record and nothing past it", c)
			}
			if n := strings.Count(r.out.text(), "\n"); n != at {
				t.Fatalf("delivered %d records, want %d", n, at)
			}
		})
	}
}

// The message of a batch that cannot be read has the command that goes on behind it, and everything before it is committed.
func TestRegression10DecompressionBombIsAnsweredWithACommand(t *testing.T) {
	r := newRig(t)
	r.cfg.Memory.Budget = 64 << 20 // a quarter is 16 MiB
	r.produce("a", "b")
	bomber, err := kgo.NewClient(kgo.SeedBrokers(r.cfg.Kafka.Brokers...), kgo.ProducerBatchMaxBytes(64<<20),
		kgo.ProducerBatchCompression(kgo.ZstdCompression()))
	if err != nil {
		t.Fatal(err)
	}
	defer bomber.Close()
	bomb := &kgo.Record{Topic: topic, Value: make([]byte, 20<<20)}
	if err := bomber.ProduceSync(t.Context(), bomb).FirstErr(); err != nil {
		t.Fatal(err)
	}
	r.produce("d")
	r.run()
	err = r.end()
	const reason = "the record batch of events/0@2 cannot be read: it unpacks to more than the memory budget allows; " +
		"everything before it is delivered and committed, nothing past it; raise memory.budget: one batch may unpack to a quarter " +
		"of it; to go on behind the batch, without what is in it: streamer offsets set events/0 --to 3 --group g " +
		"-c 'my streamer.yaml' --execute"
	if err == nil || err.Error() != reason {
		t.Fatalf("Run: %v\nwant %s", err, reason)
	}
	if got := r.out.text(); got != "a\nb\n" || r.committed() != 2 {
		t.Fatalf("wrote %q, committed %d; want what is before the batch", got, r.committed())
	}
	r.cfg.Memory.Budget, r.cfg.Source.Kafka.Until = 128<<20, "latest"
	r.run()
	if err := r.end(); err != nil || !strings.HasSuffix(r.out.text(), "\nd\n") {
		t.Fatalf("Run with the larger budget: %v, %d bytes", err, len(r.out.text()))
	}
}
