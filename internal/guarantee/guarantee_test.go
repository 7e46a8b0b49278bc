package guarantee_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"streamer/internal/config"
	"streamer/internal/guarantee"
	"streamer/internal/pipeline"
)

// load is a configuration of group g that reads topic in, with settings as flags.
func load(t rapid.TB, flags ...string) config.Config {
	cfg, _, _, err := config.Load("", nil, append([]string{"source.kafka.topics=in", "source.kafka.group=g"}, flags...))
	if err != nil {
		t.Fatalf("%v: %v", flags, err)
	}
	return cfg
}

func counts(in, out int) guarantee.Counts {
	return guarantee.Counts{Inputs: map[string]int{"in": in}, Outputs: map[string]int{"out": out}}
}

const (
	toKafka  = "each record is delivered at least once to Kafka"
	toStdout = "each record is delivered at least once to standard output, in the order of its input partition"
	perKey   = ", in the order of its input partition only per key"
)

func TestSentence(t *testing.T) {
	t.Parallel()
	kafka, stdout := []string{"sink.kafka.topic=out"}, []string{"sink.type=stdout"}
	for _, test := range []struct {
		name   string
		flags  []string
		counts guarantee.Counts
		step   pipeline.Step
		want   string
		reason string // one of the reasons begins with it
	}{
		{
			name: "kafka, equal counts", flags: kafka, counts: counts(8, 8),
			want: toKafka + ", in the order of its input partition", reason: "input and output topics have equally many partitions, in 8, out 8",
		},
		{
			name: "kafka, a forgotten producer", flags: kafka, counts: counts(8, 8),
			want: toKafka + ", in the order of its input partition", reason: "sink.kafka: a broker that has forgotten the producer",
		},
		{name: "kafka, other count", flags: kafka, counts: counts(8, 4), want: toKafka + perKey, reason: "input and output topics have not"},
		{
			name: "kafka, count not known", flags: kafka, counts: counts(8, 0),
			want:   toKafka + ", in the order of its input partition if the output topic has as many partitions, else only per key",
			reason: "the partitions of all topics are not known",
		},
		{
			name: "one of two topics has another count", flags: append(kafka, "source.kafka.topics=in,more"),
			counts: guarantee.Counts{Inputs: map[string]int{"in": 8, "more": 4}, Outputs: map[string]int{"out": 8}},
			want:   toKafka + perKey, reason: "input and output topics have not equally many partitions, in 8, more 4, out 8",
		},
		{
			name: "a pattern may match another count tomorrow", counts: counts(8, 8),
			flags: append(kafka, "source.kafka.topics=", "source.kafka.topic_pattern=^in$"),
			want:  toKafka + ", in the order of its input partition if the output topic has as many partitions, else only per key",
		},
		{
			name: "a new key", flags: append(kafka, "pipeline.decode=json", "pipeline.route.key=user"), counts: counts(8, 8),
			want: toKafka + perKey, reason: "key_by or pipeline.route.key",
		},
		{
			name: "key_by", flags: kafka, counts: counts(8, 8), step: pipeline.Step{Kind: pipeline.KindKeyBy, Expression: "user"},
			want: toKafka + perKey, reason: "key_by or pipeline.route.key",
		},
		{
			name: "a partition of its own", flags: append(kafka, "pipeline.route.partition=0"), counts: counts(8, 8),
			want:   toKafka + ", in the order of its input partition only within each output partition",
			reason: "pipeline.route.partition",
		},
		{
			name: "reduce_by_key", flags: kafka, counts: counts(8, 8), step: pipeline.Step{Kind: pipeline.KindReduce},
			want: "each record counts in a row that is delivered at least once to Kafka, in no order", reason: "reduce_by_key: a row stands",
		},
		{
			name: "file", flags: []string{"sink.file.directory=/out"},
			want: "each record is delivered at least once to files in /out, in the order of its input partition", reason: "sink.file: a batch",
		},
		{name: "stdout", flags: stdout, want: toStdout, reason: "sink.stdout: a batch is acknowledged when the pipe took it"},
		{
			name: "drop", flags: []string{"sink.type=drop"},
			want:   "no record is delivered, sink drop forgets what it acknowledges, and the group's commits pass over it",
			reason: "source.kafka.group: what was forgotten is committed",
		},
		{
			name:  "drop without a group, with dead letters",
			flags: []string{"sink.type=drop", "source.kafka.group=", "source.kafka.until=latest", "pipeline.on_error=dead_letter", "dead_letter.topic=dead"},
			want: "no record is delivered, sink drop forgets what it acknowledges; only records that fail are kept, in the " +
				"dead-letter topic dead",
		},
		{
			name: "filter", flags: stdout, step: pipeline.Step{Kind: pipeline.KindFilter},
			want: strings.Replace(toStdout, "each record", "each record that the steps keep", 1),
		},
		{
			name: "join", flags: stdout, step: pipeline.Step{Kind: pipeline.KindJoin, Join: pipeline.Join{Reload: 1}},
			want: strings.Replace(toStdout, "each record", "each record that the steps keep", 1), reason: "join: the table follows its file",
		},
		{
			name: "skip", flags: append(stdout, "pipeline.on_error=skip"),
			want: toStdout + ", except records that fail (all classes), which are skipped", reason: "pipeline.circuit_breaker: the service stops",
		},
		{
			name: "dead letters of one class", flags: append(stdout, "pipeline.on_error.decode=dead_letter", "dead_letter.topic=dead"),
			want:   toStdout + ", except records that fail (decode), which go to the dead-letter topic dead",
			reason: "pipeline.on_error: fail: a record that fails (evaluate, encode, too_large, rejected) stops",
		},
		{
			name:  "no circuit breaker",
			flags: append(stdout, "pipeline.on_error.evaluate=skip", "pipeline.circuit_breaker.percent=0"),
			want:  toStdout + ", except records that fail (evaluate), which are skipped", reason: "pipeline.circuit_breaker.percent: 0",
		},
		{
			name: "no group", flags: append(stdout, "source.kafka.group=", "source.kafka.until=latest"),
			want: "each record is delivered at least once in a run that ends with exit code 0, and again in each run that is repeated, " +
				"to standard output, in the order of its input partition, except those past the end of the run",
			reason: `source.kafka.group: "": nothing is committed`,
		},
		{
			name: "start", flags: append(stdout, "source.kafka.start=latest"),
			want: toStdout + ", except those before the start", reason: "source.kafka.start: latest",
		},
		{
			name: "out of range, earliest", flags: append(stdout, "source.kafka.on_out_of_range=earliest"),
			want: toStdout + ", except those that were deleted before they were read", reason: "source.kafka.on_out_of_range: earliest",
		},
		{
			name: "out of range, latest", flags: append(stdout, "source.kafka.on_out_of_range=latest"),
			want: toStdout + ", except those that were deleted before they were read, with what stands behind them then",
		},
		{
			name: "uncommitted", flags: append(stdout, "source.kafka.isolation=read_uncommitted"),
			want: strings.Replace(toStdout, "each record", "each record, of aborted transactions too,", 1), reason: "source.kafka.isolation",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := load(t, test.flags...)
			if test.step.Kind != "" {
				cfg.Pipeline.Steps = []pipeline.Step{test.step}
			}
			got := guarantee.Of(cfg, test.counts)
			if got.Sentence != test.want {
				t.Errorf("it says\n%s\nwant\n%s", got.Sentence, test.want)
			}
			if !strings.Contains("\n"+strings.Join(got.Reasons, "\n"), "\n"+test.reason) {
				t.Errorf("no reason begins with %q:\n%s", test.reason, strings.Join(got.Reasons, "\n"))
			}
		})
	}
}

// Whatever is combined, no sentence claims what a setting takes away.
func TestNoCombinationOverclaims(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pick := func(key string, values ...string) string { return key + "=" + rapid.SampledFrom(values).Draw(t, key) }
		sink := rapid.SampledFrom([]string{"kafka.topic=out", "file.directory=/out", "type=stdout", "type=drop"}).Draw(t, "sink")
		flags := []string{
			"sink." + sink, "dead_letter.topic=dead", "source.kafka.until=latest", "pipeline.decode=json",
			pick("source.kafka.group", "g", ""), pick("source.kafka.start", "earliest", "latest", "-1h"),
			pick("source.kafka.isolation", "read_committed", "read_uncommitted"),
			pick("source.kafka.on_out_of_range", "fail", "earliest", "latest"),
			pick("pipeline.on_error.default", "fail", "skip", "dead_letter"), pick("pipeline.on_error.decode", "", "fail", "skip", "dead_letter"),
			pick("pipeline.route.key", "", "k"), pick("pipeline.route.partition", "", "0"),
		}
		cfg := load(t, flags...)
		kind := rapid.SampledFrom([]string{"", pipeline.KindFilter, pipeline.KindReduce, pipeline.KindKeyBy}).Draw(t, "step")
		if kind != "" {
			cfg.Pipeline.Steps = []pipeline.Step{{Kind: kind}}
		}
		in, out := rapid.IntRange(0, 2).Draw(t, "in"), rapid.IntRange(0, 2).Draw(t, "out")
		got := guarantee.Of(cfg, counts(in, out))
		has := func(text string) bool { return strings.Contains(got.Sentence, text) }
		must := func(condition bool, text string) {
			if condition && !has(text) {
				t.Errorf("%v, step %q: it does not say %q:\n%s", flags, kind, text, got.Sentence)
			}
		}
		if strings.Contains(strings.ToLower(got.Sentence+strings.Join(got.Reasons, " ")), "exactly") {
			t.Errorf("it says exactly: %s", got.Sentence)
		}
		errors := cfg.Pipeline.OnError
		must(errors.Has(pipeline.DeadLetter), "dead-letter topic dead")
		if cfg.Sink.Type == config.SinkDrop {
			must(true, "no record is delivered")
			if has("at least once") {
				t.Errorf("drop delivers: %s", got.Sentence)
			}
			return
		}
		source, route := cfg.Source.Kafka, cfg.Pipeline.Route
		must(true, "at least once")
		must(source.Group == "", "again in each run that is repeated")
		must(source.Start != "earliest", "except")
		must(source.OnOutOfRange != "fail", "deleted")
		must(source.Isolation != "read_committed", "aborted")
		must(errors.Has(pipeline.Skip), "skipped")
		must(kind == pipeline.KindFilter, "that the steps keep")
		must(kind == pipeline.KindReduce, "in no order")
		moved := route.Key != "" || route.Partition != "" || kind == pipeline.KindKeyBy || in != out || in == 0
		must(cfg.Sink.Type == config.SinkKafka && kind != pipeline.KindReduce && moved, "only ")
	})
}

// A row of the tables is `settings` | sentence, or a column for each sink.
var documented = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (each|no) (.*) \\|$")

// The page says of each example what `validate` says.
func TestDocumentationHoldsTheSentences(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := documented.FindAllStringSubmatch(string(text), -1)
	sinks := map[string]bool{}
	for _, row := range rows {
		cfg := load(t, strings.Fields(row[1])...)
		sinks[cfg.Sink.Type] = true
		if got := guarantee.Of(cfg, guarantee.Counts{}).Sentence; got != row[2]+" "+row[3] {
			t.Errorf("docs/reliability.md: %s\n%s %s\nvalidate says\n%s", row[1], row[2], row[3], got)
		}
	}
	if len(sinks) != 4 || len(rows) < 10 {
		t.Errorf("docs/reliability.md has %d rows of sinks %v; want all four, and what changes their sentences", len(rows), sinks)
	}
}

// The table of sinks says to where and in which order, as `validate` does.
func TestDocumentationOfSinksHoldsTheSentences(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/sinks.md")
	if err != nil {
		t.Fatal(err)
	}
	_, row, found := strings.Cut(string(text), "| `validate` says |")
	row, _, _ = strings.Cut(row, "\n")
	cells := strings.Split(row, "|")
	if !found || len(cells) < 4 {
		t.Fatal("docs/sinks.md has no row of what validate says")
	}
	for i, sink := range []string{"sink.kafka.topic=out", "sink.file.directory=/out", "sink.type=stdout", "sink.type=drop"} {
		says := strings.Trim(cells[i], " …")
		if got := guarantee.Of(load(t, sink), guarantee.Counts{}).Sentence; says == "" || !strings.Contains(got, says) {
			t.Errorf("docs/sinks.md: %s: %q; validate says %q", sink, says, got)
		}
	}
}
