package redrive

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"streamer/internal/config"
	"streamer/internal/kafka"
	"streamer/internal/pipeline"
	"streamer/internal/processor"
	"streamer/internal/record"
	"streamer/internal/setting"
	"streamer/internal/sink/kafkasink"
)

// Options say what is to become of which letters.
type Options struct {
	Selection Selection
	Through   bool   // the pipeline, instead of the source topics
	Group     string // instead of the selection's own
	DryRun    bool
}

// Plan is a redrive that is ready to run.
type Plan struct {
	// Group is the consumer group that holds the selection's progress.
	Group string
	// Config is that of the service that reads the dead-letter topic.
	Config config.Config
	// Survey has the letters of a dry run; nil for any other.
	Survey *Survey

	through   bool
	selection Selection
	sources   map[string]int
	filter    *pipeline.Chain // nil without an expression
}

// New checks the options against the configuration of the pipeline that wrote the letters, or is to process them.
func New(cfg config.Config, o Options) (*Plan, error) {
	if cfg.DeadLetter.Topic == "" {
		return nil, setting.Fault{
			Field:  "dead_letter.topic",
			Remedy: "is missing, so there are no letters; write the topic that the pipeline's dead letters are in",
		}
	}
	if o.Selection.Decode == "" {
		o.Selection.Decode = DecodeOf(cfg.Pipeline)
	}
	if err := joined(o.Selection.Validate()); err != nil {
		return nil, err
	}
	p := &Plan{Group: o.Group, through: o.Through, selection: o.Selection}
	if err := p.name(cfg); err != nil {
		return nil, err
	}
	if own := cfg.Source.Kafka.Group; len(p.selection.Pipelines) == 0 && own != "" { // after the name, which has it anyway
		p.selection.Pipelines = []string{own}
	}
	if o.Selection.Where != "" {
		var err error
		if p.filter, err = pipeline.Compile(o.Selection.filter(), pipeline.Options{}); err != nil {
			return nil, fmt.Errorf("compile --where: %w", err)
		}
	}
	if o.Through && slices.Contains(outputs(cfg), cfg.DeadLetter.Topic) {
		return nil, setting.Fault{
			Field: "dead_letter.topic", Value: cfg.DeadLetter.Topic,
			Remedy: "is a topic of sink.kafka too, its records are no letters; write another topic",
		}
	}
	if p.Config = p.derive(cfg); o.DryRun {
		p.Survey = &Survey{kinds: map[kind]*count{}}
		p.Config.Source.Kafka.Group = ""
		p.count()
	}
	return p, nil
}

func joined(faults []setting.Fault) error {
	all := make([]error, len(faults))
	for i := range faults {
		all[i] = faults[i]
	}
	return errors.Join(all...)
}

// outputs are the topics that the pipeline writes to on the source's cluster.
func outputs(cfg config.Config) []string {
	if cfg.Sink.Type != config.SinkKafka || len(cfg.Sink.Kafka.Connection.Brokers) > 0 {
		return nil
	}
	return cfg.Sink.Kafka.Output.Destinations()
}

func (p *Plan) name(cfg config.Config) error {
	group := cfg.Source.Kafka.Group
	switch {
	case p.Group != "" && p.Group == group:
		return setting.Fault{
			Field: "--group", Value: p.Group,
			Remedy: "is the pipeline's own, which reads other topics; write another, or leave the flag out",
		}
	case p.Group != "":
		return nil
	case group == "":
		return setting.Fault{
			Field:  "--group",
			Remedy: "is missing, and source.kafka.group too, after which it would be named; write a group for the progress",
		}
	}
	p.Group = p.selection.Group(group, cfg.DeadLetter.Topic, p.through)
	return nil
}

// derive is the service that reads the letters: bounded, in the group of the selection, with the pipeline's own sink or one
// to its source topics.
func (p *Plan) derive(cfg config.Config) config.Config {
	source := &cfg.Source.Kafka
	source.Topics, source.TopicPattern = []string{cfg.DeadLetter.Topic}, ""
	source.Group, source.InstanceID = p.Group, "" // a static member's name is taken by the pipeline's own service
	source.Start, source.Until = "earliest", "latest"
	// Letters that retention has deleted are gone; with the pipeline's own policy those behind them could be left out too.
	source.OnOutOfRange = kafka.OutOfRangeEarliest
	if p.through {
		return cfg
	}
	direct(&cfg)
	cfg.Sink.Type, cfg.Sink.Kafka = config.SinkKafka, config.KafkaSink{Output: kafkasink.DefaultConfig()}
	// A letter is larger than its record; so what came as a letter also goes.
	cfg.Sink.Kafka.Output.MaxMessageBytes = max(cfg.DeadLetter.MaxMessageBytes, cfg.Sink.Kafka.Output.MaxMessageBytes)
	return cfg
}

// direct is a service without a pipeline: what the letters come to is made by the worker alone, and nothing of the
// pipeline (its schemas, its tables) has to be there.
func direct(cfg *config.Config) {
	workers := cfg.Pipeline.Workers
	cfg.Pipeline, cfg.SchemaRegistry = pipeline.DefaultConfig(), config.Default().SchemaRegistry
	cfg.Pipeline.Workers = workers
}

// count makes the service one that writes nothing.
func (p *Plan) count() {
	direct(&p.Config)
	p.Config.Sink.Type = config.SinkDrop
}

// Bind tells the plan the topics that the pipeline reads, as they are now: letters of others are not sent.
func (p *Plan) Bind(sources kafka.Partitions) error {
	letters := p.Config.DeadLetter.Topic
	p.sources = make(map[string]int, len(sources))
	for topic, ids := range sources {
		p.sources[topic] = len(ids)
	}
	switch {
	case p.sources[letters] > 0:
		return setting.Fault{
			Field: "dead_letter.topic", Value: letters,
			Remedy: "is read by source.kafka too, its letters would be sent to it without end; write another topic",
		}
	case len(sources) == 0:
		return setting.Fault{
			Field: "source.kafka.topic_pattern", Remedy: "matches no topic, so letters have nowhere to go; correct it",
		}
	case !p.through:
		p.Config.Sink.Kafka.Output.Topics = sources.Topics()
	}
	return nil
}

// Wrap makes the worker of a redrive around a pipeline's. The plan must be bound.
func (p *Plan) Wrap(ctx context.Context, chain processor.Worker) processor.Worker {
	switch c := p.chooser(ctx); {
	case p.Survey != nil:
		return &counting{chooser: c, survey: p.Survey}
	case p.through:
		return &through{chooser: c, chain: chain}
	default:
		return &back{chooser: c, places: map[record.Destination]*record.Destination{}}
	}
}
