package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"streamer/internal/kafka"
)

// realWorld is the broker of STREAMER_TEST_BROKERS: what an embedded one may do differently is tried here too.
func realWorld(t *testing.T) (world, string) {
	t.Helper()
	brokers := os.Getenv("STREAMER_TEST_BROKERS")
	if brokers == "" {
		t.Skip("STREAMER_TEST_BROKERS is not set")
	}
	config := kafka.DefaultConfig()
	config.Brokers = strings.Split(brokers, ",")
	name := fmt.Sprintf("%s-%d", strings.ReplaceAll(t.Name(), "/", "-"), time.Now().UnixNano())
	return world{config: config, admin: newAdmin(t, config)}, name
}

func (w world) createTopic(t *testing.T, topic string, settings map[string]string) {
	t.Helper()
	configs := map[string]*string{}
	for key, value := range settings {
		configs[key] = new(value)
	}
	if _, err := kadm.NewClient(newClient(t, w.config)).CreateTopic(testContext(t), 1, 1, configs, topic); err != nil {
		t.Fatalf("create topic: %v", err)
	}
}

// member consumes as the service does: it commits what the plan resolves before the first poll.
func (w world) member(t *testing.T, s kafka.SourceConfig, plan *kafka.StartPlan) *kgo.Client {
	t.Helper()
	var client *kgo.Client
	made := make(chan struct{})
	adjust := func(ctx context.Context, assigned map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
		<-made
		resolved, err := plan.Resolve(ctx, uncommitted(assigned))
		if err != nil || resolved.Len() == 0 {
			return assigned, err
		}
		commits := map[string]map[int32]kgo.EpochOffset{}
		for at, offset := range resolved.Sorted() {
			assigned[at.Topic][at.Partition] = kgo.NewOffset().At(offset)
			if commits[at.Topic] == nil {
				commits[at.Topic] = map[int32]kgo.EpochOffset{}
			}
			commits[at.Topic][at.Partition] = kgo.EpochOffset{Epoch: -1, Offset: offset}
		}
		client.CommitOffsetsSync(ctx, commits,
			func(_ *kgo.Client, request *kmsg.OffsetCommitRequest, response *kmsg.OffsetCommitResponse, callErr error) {
				_, err = kafka.CommitResult(request, response, callErr)
			})
		return assigned, err
	}
	options, _ := kafka.SourceOptions(s, 64<<20)
	client = newClient(t, w.config, append(options, kgo.AdjustFetchOffsetsFn(adjust))...)
	close(made)
	return client
}

func uncommitted(assigned map[string]map[int32]kgo.Offset) map[string][]int32 {
	found := map[string][]int32{}
	for topic, partitions := range assigned {
		for partition, offset := range partitions {
			if offset.EpochOffset().Offset < 0 {
				found[topic] = append(found[topic], partition)
			}
		}
	}
	return found
}

// read polls until count records have come, and returns their offsets by topic.
func read(t *testing.T, client *kgo.Client, count int) map[string][]int64 {
	t.Helper()
	got, n := map[string][]int64{}, 0
	for ctx := testContext(t); n < count; {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("read %d of %d records", n, count)
		}
		fetches.EachError(func(topic string, partition int32, err error) {
			t.Fatalf("%v", kafka.ClassifyPoll(topic, partition, err))
		})
		fetches.EachRecord(func(r *kgo.Record) {
			if !r.Attrs.IsControl() {
				got[r.Topic] = append(got[r.Topic], r.Offset)
				n++
			}
		})
	}
	return got
}

// A group that exists only by a commit made ahead can be joined by both protocols, and while it lives the broker refuses
// such a commit; a topic that comes by a rolling deploy is then read from where it was when the first new process began.
func TestRealStart(t *testing.T) {
	for _, protocol := range []string{kafka.ProtocolClassic, kafka.ProtocolConsumer} {
		t.Run(protocol, func(t *testing.T) {
			w, name := realWorld(t)
			w.createTopic(t, name+"-a", nil)
			w.createTopic(t, name+"-b", nil)
			produce(t, w.config, name+"-a", 0, 5)
			produce(t, w.config, name+"-b", 0, 5)
			s := source(name, name+"-a")
			s.GroupProtocol, s.Start = protocol, "latest"
			plan := w.prepare(t, s)
			produce(t, w.config, name+"-a", 0, 2) // before the first member
			first := w.member(t, s, plan)
			if got := read(t, first, 2)[name+"-a"]; got[0] != 5 {
				t.Errorf("the first member began at %d, want 5", got[0])
			}
			if err := w.admin.AssertProtocol(testContext(t), first, s); err != nil {
				t.Error(err)
			}
			to, _ := kafka.ParseTarget("earliest")
			if _, err := w.admin.SetOffsets(testContext(t), name, []string{name + "-a"}, to, true, clock()); !errors.Is(err, kafka.ErrGroupLive) {
				t.Errorf("the offsets of a live group are set: %v", err)
			}
			s.Topics = append(s.Topics, name+"-b")
			plan = w.prepare(t, s)
			if got, want := plan.Notice(), "start ignored: 1 of 2 partitions have commits (source.kafka.start: latest)"; got != want {
				t.Errorf("notice = %q, want %q", got, want)
			}
			produce(t, w.config, name+"-b", 0, 3)
			second := w.member(t, s, plan)
			if got := read(t, second, 3)[name+"-b"]; len(got) == 0 || got[0] != 5 {
				t.Errorf("the second member began at %v, want 5", got)
			}
			first.Close()
			second.Close()
			group, err := w.admin.Group(testContext(t), name)
			if err != nil || group.Live() {
				t.Errorf("after both have left: %+v, %v", group, err)
			}
			if _, err := w.admin.SetOffsets(testContext(t), name, []string{name + "-a"}, to, true, clock()); err != nil {
				t.Errorf("set offsets of the stopped group: %v", err)
			}
		})
	}
}

// The protocol can be changed between two runs of a group, in both directions.
func TestRealProtocolChange(t *testing.T) {
	w, name := realWorld(t)
	w.createTopic(t, name, nil)
	s := source(name, name)
	for i, protocol := range []string{kafka.ProtocolClassic, kafka.ProtocolConsumer, kafka.ProtocolClassic} {
		s.GroupProtocol = protocol
		produce(t, w.config, name, 0, 1)
		client := w.member(t, s, w.prepare(t, s))
		read(t, client, i+1) // nothing is committed but the start
		if err := w.admin.AssertProtocol(testContext(t), client, s); err != nil {
			t.Error(err)
		}
		client.Close()
	}
}

// Markers and aborted records take offsets at the end of a partition.
func TestRealTransactions(t *testing.T) {
	w, name := realWorld(t)
	w.createTopic(t, name, nil)
	produce(t, w.config, name, 0, 3)
	client := newClient(t, w.config, kgo.TransactionalID(name))
	for _, how := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort} {
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		if err := client.ProduceSync(testContext(t), &kgo.Record{Topic: name}).FirstErr(); err != nil {
			t.Fatal(err)
		}
		if err := client.EndTransaction(testContext(t), how); err != nil {
			t.Fatal(err)
		}
	}
	s := source(name, name) // 0-2, 3 committed, 4 marker, 5 aborted, 6 marker
	s.Until = "latest"
	ends := w.ends(t, s)
	if end, _ := ends.End(name, 0); end != 7 {
		t.Fatalf("end = %d, want 7", end)
	}
	at := kafka.TopicPartition{Topic: name}
	for position, want := range map[int64]int64{3: 3, 4: 4, 5: 5, 6: 6} { // markers are records here: they carry the commit on
		if got, err := w.admin.ProbeTail(testContext(t), s, at, position, 7); err != nil || got != want {
			t.Errorf("probe at %d = %d, %v; want %d", position, got, err, want)
		}
	}
	if got, err := w.admin.ProbeTail(testContext(t), s, at, 5, 6); err != nil || got != 6 {
		t.Errorf("probe of the aborted record alone = %d, %v; want 6", got, err)
	}
}

// After compaction kgo passes over the offsets that are gone in silence; the probe says so.
func TestRealCompactedTail(t *testing.T) {
	w, name := realWorld(t)
	w.createTopic(t, name, map[string]string{
		"cleanup.policy": "compact", "segment.ms": "100", "min.cleanable.dirty.ratio": "0.001", "max.compaction.lag.ms": "200",
	})
	s := source(name, name)
	at := kafka.TopicPartition{Topic: name}
	client := newClient(t, w.config)
	write := func() {
		if err := client.ProduceSync(testContext(t), &kgo.Record{Topic: name, Key: []byte("same")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		write()
	}
	// Each further record may roll a segment; once the first five are gone the probe reaches 5 from any of them.
	for ctx := testContext(t); ; {
		write()
		next, err := w.admin.ProbeTail(ctx, s, at, 1, 5)
		if err != nil {
			t.Skipf("the cleaner has not run in %s: %v", testTimeout, err)
		}
		if next == 5 {
			return
		}
	}
}

// A real broker takes what TLS says for a request of a size that it refuses, and hangs up.
func TestRealTLSMismatch(t *testing.T) {
	w, _ := realWorld(t)
	w.config.TLS.Enabled = true
	if err := kafka.Check(testContext(t), w.config, testUse()); err == nil || !strings.Contains(err.Error(), "kafka.tls.enabled") {
		t.Errorf("err = %v", err)
	}
}
