package streamer

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"streamer/internal/admin"
	"streamer/internal/config"
	"streamer/internal/pipeline"
	"streamer/internal/setting"
	"streamer/internal/sink/kafkasink"
)

// changes are the requests by which a client leaves something behind on a broker.
func changes() []kmsg.Key {
	return []kmsg.Key{
		kmsg.Produce, kmsg.InitProducerID, kmsg.JoinGroup, kmsg.SyncGroup, kmsg.Heartbeat, kmsg.ConsumerGroupHeartbeat,
		kmsg.OffsetCommit, kmsg.TxnOffsetCommit, kmsg.CreateTopics, kmsg.CreatePartitions, kmsg.DeleteRecords,
	}
}

// preview runs a preview to its end and returns what it shows. Any request that changes something fails the test.
func (r *rig) preview(limit int) (string, admin.Totals, error) {
	r.t.Helper()
	var mu sync.Mutex
	var over bool
	for _, key := range changes() {
		r.cluster.ControlKey(key.Int16(), func(kmsg.Request) (kmsg.Response, error, bool) {
			mu.Lock()
			defer mu.Unlock()
			r.cluster.KeepControl()
			if !over {
				r.t.Errorf("a preview sent %s", key.Name())
			}
			return nil, nil, false
		})
	}
	defer func() {
		mu.Lock()
		defer mu.Unlock()
		over = true
	}()
	var shown strings.Builder
	service, err := New(r.cfg, Options{
		Logger: slog.New(slog.DiscardHandler), Preview: &Preview{Out: &shown, Limit: limit},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	err = service.Run(ctx)
	if ctx.Err() != nil {
		r.t.Fatal("the preview does not end")
	}
	return shown.String(), service.Totals(), err
}

// toKafka gives the rig a pipeline that keeps and changes some records, and sends what it cannot read to a topic that does
// not exist.
func (r *rig) toKafka() {
	r.cfg.Sink.Type = config.SinkKafka
	r.cfg.Sink.Kafka.Output.Topic = "views"
	r.cfg.Sink.Kafka.Output.Create = &kafkasink.CreateConfig{Partitions: 3, ReplicationFactor: 1}
	r.cfg.Pipeline.Decode.Value.Format, r.cfg.Pipeline.Encode.Value.Format = "json", "json"
	r.cfg.Pipeline.Steps = []pipeline.Step{
		{Kind: pipeline.KindFilter, Expression: "n > 1"},
		{Kind: pipeline.KindMap, Fields: pipeline.Mapping{{Name: "twice", Expression: "n * 2"}}},
	}
	r.cfg.Pipeline.OnError.Decode = pipeline.DeadLetter
	r.cfg.Pipeline.CircuitBreaker.Percent = 0
	r.cfg.DeadLetter.Topic, r.cfg.DeadLetter.Create = "letters", r.cfg.Sink.Kafka.Output.Create
}

func TestPreviewShowsAndChangesNothing(t *testing.T) {
	r := newRig(t)
	r.toKafka()
	r.cfg.Pipeline.Route.Key = `"k"`
	r.cfg.Pipeline.Route.Headers = pipeline.Mapping{{Name: "was", Expression: "meta.topic"}}
	r.produce(`{"n":1}`, `{"n":2}`, "{poison", `{"n":3}`)
	text, totals, err := r.preview(10)
	if err != nil {
		t.Fatal(err)
	}
	const want = `views/2 key "k" from ` + topic + "/0@1\n  \"was\": " + topic + "\n  {\"twice\":4}\n" +
		`views/2 key "k" from ` + topic + "/0@3\n  \"was\": " + topic + "\n  {\"twice\":6}\n"
	if text != want {
		t.Errorf("it shows\n%s\nwant\n%s", text, want)
	}
	if totals.Delivered != 2 || totals.Filtered != 1 || totals.DeadLettered != 1 {
		t.Errorf("totals: %+v", totals)
	}
	if r.cluster.GroupInfo(group) != nil {
		t.Error("there is a group")
	}
}

// What comes behind the last record that is shown is none of the preview's: whether it was looked at is chance.
func TestPreviewEndsAtItsLimit(t *testing.T) {
	for _, text := range []string{"{poison", `{"n":9}`} {
		r := newRig(t)
		r.toKafka()
		r.cfg.Pipeline.OnError.Decode = ""
		r.produce(`{"n":2}`, `{"n":3}`, text, `{"n":4}`)
		shown, _, err := r.preview(2)
		if err != nil || strings.Count(shown, "\n") != 4 || !strings.Contains(shown, `{"twice":6}`) {
			t.Errorf("before %s it shows\n%s\nand ends with %v", text, shown, err)
		}
	}
}

func TestPreviewStopsAtTheRecordThatWouldStopTheRun(t *testing.T) {
	r := newRig(t)
	r.toKafka()
	r.cfg.Pipeline.OnError.Decode = ""
	r.produce(`{"n":2}`, "{poison", `{"n":4}`)
	shown, _, err := r.preview(10)
	if failed, ok := errors.AsType[*RecordError](err); !ok || failed.Failure.Offset != 1 {
		t.Errorf("it ends with %v", err)
	}
	if !strings.Contains(shown, `{"twice":4}`) || strings.Contains(shown, `{"twice":8}`) {
		t.Errorf("it shows\n%s", shown)
	}
}

// It begins where the group would go on, not where a new group would.
func TestPreviewBeginsAtTheGroupsCommits(t *testing.T) {
	for _, start := range []string{"earliest", "latest"} {
		r := newRig(t)
		r.cfg.Source.Kafka.Start = start
		r.produce("zero", "one", "two")
		client, err := kgo.NewClient(kgo.SeedBrokers(r.cfg.Kafka.Brokers...))
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		var at kadm.Offsets
		at.AddOffset(topic, 0, 1, -1)
		if err := kadm.NewClient(client).CommitAllOffsets(t.Context(), group, at); err != nil {
			t.Fatal(err)
		}
		shown, _, err := r.preview(10)
		if want := "stdout from " + topic + "/0@1\n  one\nstdout from " + topic + "/0@2\n  two\n"; err != nil || shown != want {
			t.Errorf("start %s: it shows\n%s\nand ends with %v", start, shown, err)
		}
		if r.committed() != 1 {
			t.Errorf("start %s: the group's commit moved to %d", start, r.committed())
		}
	}
}

// A partition that was added to a topic that the group knows begins at its beginning, whatever start says.
func TestPreviewBeginsAddedPartitionsAtTheirBeginning(t *testing.T) {
	r := newRig(t)
	r.cfg.Source.Kafka.Start = "latest"
	r.produce("zero")
	client, err := kgo.NewClient(kgo.SeedBrokers(r.cfg.Kafka.Brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	brokers := kadm.NewClient(client)
	var at kadm.Offsets
	at.AddOffset(topic, 0, 1, -1)
	if err = brokers.CommitAllOffsets(t.Context(), group, at); err != nil {
		t.Fatal(err)
	}
	if _, err = brokers.UpdatePartitions(t.Context(), 2, topic); err != nil {
		t.Fatal(err)
	}
	added := &kgo.Record{Topic: topic, Partition: 1, Value: []byte("added")}
	if err = client.ProduceSync(t.Context(), added).FirstErr(); err != nil {
		t.Fatal(err)
	}
	shown, _, err := r.preview(10)
	if want := "stdout from " + topic + "/1@0\n  added\n"; err != nil || shown != want {
		t.Errorf("it shows\n%s\nand ends with %v", shown, err)
	}
}

// A row comes from many records, so it has no place of its own and goes by its key.
func TestPreviewShowsRows(t *testing.T) {
	r := newRig(t)
	r.toKafka()
	r.cfg.Pipeline.Steps = []pipeline.Step{
		{Kind: pipeline.KindKeyBy, Expression: "k"},
		{Kind: pipeline.KindReduce, Fields: pipeline.Mapping{{Name: "sum", Expression: "sum(n)"}}},
	}
	r.cfg.Batch.Interval = setting.Duration(time.Second)
	r.produce(`{"k":"k","n":1}`, `{"k":"k","n":2}`)
	shown, totals, err := r.preview(1)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(shown, `views/2 key "k"`+"\n") || !strings.HasSuffix(shown, `{"key":"k","sum":3}`+"\n") {
		t.Errorf("it shows\n%s", shown)
	}
	if totals.Reduced != 2 {
		t.Errorf("totals: %+v", totals)
	}
}

func TestPreviewOfATopicWhoseSizeTheBrokerChooses(t *testing.T) {
	r := newRig(t)
	r.toKafka()
	r.cfg.Sink.Kafka.Output.Create.Partitions = -1
	_, _, err := r.preview(1)
	if fault, ok := errors.AsType[setting.Fault](err); !ok || fault.Field != "sink.kafka.create.partitions" {
		t.Errorf("it ends with %v", err)
	}
}

func TestPreviewRegistersNoSchema(t *testing.T) {
	cfg := config.Default()
	cfg.Pipeline.Encode.Key.Register, cfg.Pipeline.Encode.Value.Register = true, true
	got := newPreview(&Preview{Limit: 1}, cfg).only(cfg)
	if got.Pipeline.Encode.Key.Register || got.Pipeline.Encode.Value.Register {
		t.Error("a preview registers schemas")
	}
}

// What is shown of a record does not move the cursor of who looks at it.
func TestPrintable(t *testing.T) {
	for value, want := range map[string]string{
		`{"a": "ä"}`: `{"a": "ä"}`, "": `""`, "two\nlines": `"two\nlines"`, "\x1b[2J": `"\x1b[2J"`, "\x00\xff": `"\x00\xff"`,
	} {
		if got := printable([]byte(value)); got != want {
			t.Errorf("%q is shown as %s, want %s", value, got, want)
		}
	}
	if got := printable(nil); got != "null (tombstone)" {
		t.Errorf("a tombstone is shown as %s", got)
	}
}
