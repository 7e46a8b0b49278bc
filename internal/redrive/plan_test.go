package redrive

import (
	"strings"
	"testing"

	"streamer/internal/config"
	"streamer/internal/kafka"
	"streamer/internal/pipeline"
)

func TestPlanFaults(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*config.Config, *Options)
		want   string
	}{
		{"no topic", func(c *config.Config, _ *Options) { c.DeadLetter.Topic = "" }, "dead_letter.topic: is missing, so there are no letters; "},
		{"no group", func(c *config.Config, _ *Options) { c.Source.Kafka.Group = "" }, "--group: is missing, and source.kafka.group too"},
		{"the pipeline's group", func(_ *config.Config, o *Options) { o.Group = "g" }, `--group: "g" is the pipeline's own`},
		{"output to the letters", func(c *config.Config, o *Options) {
			c.Sink.Type, c.Sink.Kafka.Output.Topic, o.Through = config.SinkKafka, deadTopic, true
		}, `dead_letter.topic: "dead" is a topic of sink.kafka too`},
	} {
		cfg, o := configuration(), Options{}
		test.change(&cfg, &o)
		if _, err := New(cfg, o); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		}
	}
	for _, test := range []struct {
		sources kafka.Partitions
		want    string
	}{
		{kafka.Partitions{"orders": {0}, deadTopic: {0}}, `dead_letter.topic: "dead" is read by source.kafka too`},
		{kafka.Partitions{}, "source.kafka.topic_pattern: matches no topic"},
	} {
		p, err := New(configuration(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Bind(test.sources); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%v: %v, want %s", test.sources, err, test.want)
		}
	}
}

// The run must not take the place of the pipeline's own service in its group, nor need what only a pipeline needs.
func TestPlanConfigurations(t *testing.T) {
	t.Parallel()
	cfg := configuration()
	source := &cfg.Source.Kafka
	source.InstanceID, source.GroupProtocol, source.Start, source.TopicPattern = "static", kafka.ProtocolConsumer, "latest", "^o"
	source.OnOutOfRange = kafka.OutOfRangeLatest // would leave letters out
	source.Topics = nil
	cfg.Pipeline.Workers, cfg.Pipeline.Steps = 3, []pipeline.Step{{Kind: pipeline.KindJoin}}
	cfg.SchemaRegistry.Client.URLs = []string{"http://registry"}
	cfg.DeadLetter.MaxMessageBytes = 8 << 20
	for _, o := range []Options{{}, {Through: true}, {DryRun: true}, {DryRun: true, Through: true}} {
		p, err := New(cfg, o)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Bind(kafka.Partitions{"orders": {0}}); err != nil {
			t.Fatal(err)
		}
		got := p.Config.Source.Kafka
		group := p.Group
		if o.DryRun {
			group = ""
		}
		if got.Group != group || got.InstanceID != "" || got.TopicPattern != "" || len(got.Topics) != 1 || got.Topics[0] != deadTopic ||
			got.Start != "earliest" || got.Until != "latest" || got.OnOutOfRange != kafka.OutOfRangeEarliest || got.GroupProtocol != kafka.ProtocolConsumer || p.Config.Pipeline.Workers != 3 {
			t.Errorf("%+v: source %+v", o, got)
		}
		pipes := o.Through && !o.DryRun
		if len(p.Config.Pipeline.Steps) > 0 != pipes || p.Config.SchemaRegistry.Client.Enabled() != pipes {
			t.Errorf("%+v: pipeline %+v", o, p.Config.Pipeline)
		}
		if !o.Through && !o.DryRun {
			if out := p.Config.Sink.Kafka.Output; p.Config.Sink.Type != config.SinkKafka || out.MaxMessageBytes != 8<<20 || len(out.Topics) != 1 || out.Topics[0] != "orders" {
				t.Errorf("sink %+v", p.Config.Sink)
			}
		} else if p.Config.Sink.Type != config.SinkDrop {
			t.Errorf("%+v: sink %s", o, p.Config.Sink.Type)
		}
	}
}

func TestSurvey(t *testing.T) {
	t.Parallel()
	p := planOf(t, Options{DryRun: true, Selection: Selection{Classes: []string{"decode", "encode"}}})
	w := p.Wrap(t.Context(), nil)
	w.Process(blockOf(written(60, "orders", "decode", "x"), written(61, "orders", "evaluate", "x")))
	w.Process(blockOf(written(0, "orders", "decode", "x"), written(1, "clicks", "encode", "x"), written(2, "orders", "decode", "x")))
	var text strings.Builder
	if err := p.Survey.Write(&text); err != nil {
		t.Fatal(err)
	}
	const want = `TOPIC   CLASS   STEP            LETTERS  FIRST                 LAST
clicks  encode  steps[0].map.a  1        2026-01-31T12:00:01Z  2026-01-31T12:00:01Z
orders  decode  steps[0].map.a  3        2026-01-31T12:00:00Z  2026-01-31T12:01:00Z

4 selected, 1 not selected; nothing was sent
`
	if text.String() != want {
		t.Errorf("got\n%s\nwant\n%s", text.String(), want)
	}
}
