package streamer

import (
	"context"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/config"
	"streamer/internal/pipeline"
	"streamer/internal/sink/kafkasink"
)

// metric is what the documentation and the program both say of one metric.
type metric struct {
	kind   string // counter, gauge or histogram; empty if it has no series yet
	labels string // sorted, joined by commas
}

// The table of docs/observability.md is what dashboards and alerts are written from, so it has every metric that a service
// registers, with its type and labels, and none besides.
func TestDocumentationHoldsEveryMetric(t *testing.T) {
	r := newRig(t)
	r.cfg.Sink.Type = config.SinkKafka
	r.cfg.Sink.Kafka.Output = kafkasink.DefaultConfig()
	r.cfg.Sink.Kafka.Output.Topic = "views"
	r.cfg.Sink.Kafka.Output.Create = &kafkasink.CreateConfig{Partitions: 1, ReplicationFactor: 1}
	r.cfg.Pipeline.Decode.Value.Format, r.cfg.Pipeline.OnError = "json", pipeline.OnError{Default: pipeline.DeadLetter}
	r.cfg.Pipeline.Steps = []pipeline.Step{{Kind: pipeline.KindFilter, Expression: "$env > 0"}}
	r.cfg.DeadLetter.Topic, r.cfg.DeadLetter.Create = "letters", r.cfg.Sink.Kafka.Output.Create
	r.cfg.SchemaRegistry.Client.URLs = []string{"http://127.0.0.1:1"} // nothing asks it
	r.produce("{poison", "1")
	r.run()
	r.awaitDelivered("views")
	got := gathered(t, r.service.registry)
	r.stop()
	if err := r.end(); err != nil {
		t.Fatalf("Run: %v", err)
	}

	want := documentedMetrics(t)
	for name, has := range got {
		documented, found := want[name]
		switch {
		case !found && has.kind == "" && strings.HasPrefix(name, "streamer_kafka_"):
			// kprom describes also what it was told not to measure.
		case !found:
			t.Errorf("docs/observability.md has no row for %s %+v", name, has)
		case documented.labels != has.labels, has.kind != "" && documented.kind != has.kind:
			t.Errorf("docs/observability.md says that %s is %+v; it is %+v", name, documented, has)
		}
		delete(want, name)
	}
	for name := range want {
		t.Errorf("docs/observability.md has a row for %s, which does not exist", name)
	}
}

// awaitDelivered waits for the first record in the sink's topic.
func (r *rig) awaitDelivered(to string) {
	r.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(r.cfg.Kafka.Brokers...), kgo.ConsumeTopics(to),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.MetadataMinAge(10*time.Millisecond), kgo.UnknownTopicRetries(-1))
	if err != nil {
		r.t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	for client.PollFetches(ctx).NumRecords() == 0 {
		if ctx.Err() != nil {
			r.t.Fatal("nothing is delivered")
		}
	}
}

// described is how a description prints itself; it has no other way to tell its name.
var described = regexp.MustCompile(`fqName: "([^"]+)".* constLabels: \{(.*)\}, variableLabels: \{(.*)\}\}$`)

// gathered is every streamer_ metric that is registered, with a type where it has series.
func gathered(t *testing.T, registry *prometheus.Registry) map[string]metric {
	t.Helper()
	kinds := map[string]string{}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		kinds[family.GetName()] = strings.ToLower(family.GetType().String())
	}
	descriptions := make(chan *prometheus.Desc)
	go func() {
		registry.Describe(descriptions)
		close(descriptions)
	}()
	metrics := map[string]metric{}
	for description := range descriptions {
		match := described.FindStringSubmatch(description.String())
		if match == nil {
			t.Fatalf("%s has another form than is looked for", description)
		}
		if name := match[1]; strings.HasPrefix(name, "streamer_") {
			metrics[name] = metric{kinds[name], labelNames(match[2] + "," + match[3])}
		}
	}
	return metrics
}

var labelName = regexp.MustCompile(`(?:^|,)([a-z_]+)`)

// labelNames sorts the names in `a="x",b` or "`a`, `b`".
func labelNames(text string) string {
	names := []string{}
	for _, match := range labelName.FindAllStringSubmatch(strings.NewReplacer("`", "", " ", "").Replace(text), -1) {
		names = append(names, match[1])
	}
	slices.Sort(names)
	return strings.Join(names, ",")
}

// metricRow is `name`, `name` | type | labels, of which the kinds of value are left out.
var metricRow = regexp.MustCompile("(?m)^\\| (`streamer_[^|]+) \\| (counter|gauge|histogram) \\| ([^|]*)\\|")

func documentedMetrics(t *testing.T) map[string]metric {
	t.Helper()
	text, err := os.ReadFile("../../docs/observability.md")
	if err != nil {
		t.Fatal(err)
	}
	metrics := map[string]metric{}
	for _, row := range metricRow.FindAllStringSubmatch(string(text), -1) {
		for name := range strings.SplitSeq(row[1], ", ") {
			name = strings.Trim(name, "`")
			if _, twice := metrics[name]; twice {
				t.Errorf("docs/observability.md has two rows for %s", name)
			}
			metrics[name] = metric{row[2], labelNames(row[3])}
		}
	}
	return metrics
}
