package config

import (
	"time"

	"streamer/internal/admin"
	"streamer/internal/batcher"
	"streamer/internal/codec/registry"
	"streamer/internal/kafka"
	"streamer/internal/partitionstream"
	"streamer/internal/pipeline"
	"streamer/internal/setting"
	"streamer/internal/sink"
	"streamer/internal/sink/dropsink"
	"streamer/internal/sink/filesink"
	"streamer/internal/sink/kafkasink"
	"streamer/internal/sink/stdoutsink"
)

// Config is the whole configuration. Each section belongs to the package that uses it; a field's path in it is its key.
type Config struct {
	Kafka          kafka.Config           `yaml:"kafka"`
	Source         Source                 `yaml:"source"`
	SchemaRegistry SchemaRegistry         `yaml:"schema_registry"`
	Block          partitionstream.Config `yaml:"block"`
	Batch          batcher.Config         `yaml:"batch"`
	Pipeline       pipeline.Config        `yaml:"pipeline"`
	// DeadLetter is where records go that fail under on_error: dead_letter.
	DeadLetter DeadLetter   `yaml:"dead_letter"`
	Sink       Sink         `yaml:"sink"`
	Memory     Memory       `yaml:"memory"`
	Shutdown   Shutdown     `yaml:"shutdown"`
	Admin      admin.Config `yaml:"admin"`
	Log        Log          `yaml:"log"`
}

// Source says what is consumed.
type Source struct {
	Type  string             `yaml:"type"` // kafka, the only one
	Kafka kafka.SourceConfig `yaml:"kafka"`
}

// The kinds of sink, as sink.type names them.
const (
	SinkKafka  = "kafka"
	SinkFile   = "file"
	SinkStdout = "stdout"
	SinkDrop   = "drop"
)

// Sink says where the output goes. Only the section of the kind that Type names is looked at.
type Sink struct {
	Type     string            `yaml:"type"`
	Delivery sink.Config       `yaml:",inline"`
	Kafka    KafkaSink         `yaml:"kafka"`
	File     filesink.Config   `yaml:"file"`
	Stdout   stdoutsink.Config `yaml:"stdout"`
	Drop     dropsink.Config   `yaml:"drop"`
}

// KafkaSink is the output topic and, if the output goes to another cluster than the input, the way to it.
type KafkaSink struct {
	Connection kafka.Config     `yaml:",inline"`
	Output     kafkasink.Config `yaml:",inline"`
}

// SchemaRegistry is where schemas of Avro, Protobuf and framed JSON are kept.
type SchemaRegistry struct {
	Client registry.Config `yaml:",inline"`
	TLS    kafka.TLSConfig `yaml:"tls"`
}

// DeadLetter is the topic of records that failed. It is on the source's cluster.
type DeadLetter struct {
	Topic string `yaml:"topic"`
	// MaxMessageBytes is the largest dead letter; it is larger than its record by the headers that say what was wrong.
	MaxMessageBytes setting.Bytes           `yaml:"max_message_bytes"`
	Create          *kafkasink.CreateConfig `yaml:"create"`
}

// Output is the sink that writes dead letters.
func (d DeadLetter) Output() kafkasink.Config {
	c := kafkasink.DefaultConfig()
	c.Topic, c.MaxMessageBytes, c.Create = d.Topic, d.MaxMessageBytes, d.Create
	return c
}

// Memory bounds the bytes between poll and acknowledgement.
type Memory struct {
	// Budget in bytes; 0 is auto: a quarter of the cgroup's limit or of physical memory, at least 64 MiB.
	Budget setting.Bytes `yaml:"budget"`
}

// Shutdown bounds the drain after a stop was asked for.
type Shutdown struct {
	Timeout setting.Duration `yaml:"timeout"`
}

// Log is how the process speaks on standard error.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn or error
	Format string `yaml:"format"` // auto (text on a terminal, JSON otherwise), text or json
}

// Default returns every default. Source topics, group and a sink are left to the user. The shutdown timeout leaves ten
// of the thirty seconds that Kubernetes waits before it kills.
func Default() Config {
	return Config{
		Kafka:          kafka.DefaultConfig(),
		Source:         Source{Type: "kafka", Kafka: kafka.DefaultSourceConfig()},
		SchemaRegistry: SchemaRegistry{Client: registry.DefaultConfig()},
		Block:          partitionstream.DefaultConfig(),
		Batch:          batcher.DefaultConfig(),
		Pipeline:       pipeline.DefaultConfig(),
		Sink: Sink{
			Delivery: sink.DefaultConfig(),
			Kafka:    KafkaSink{Output: kafkasink.DefaultConfig()},
			File:     filesink.DefaultConfig(),
			Stdout:   stdoutsink.DefaultConfig(),
			Drop:     dropsink.DefaultConfig(),
		},
		DeadLetter: DeadLetter{MaxMessageBytes: kafkasink.DefaultConfig().MaxMessageBytes},
		Shutdown:   Shutdown{Timeout: setting.Duration(20 * time.Second)},
		Admin:      admin.DefaultConfig(),
		Log:        Log{Level: "info", Format: "auto"},
	}
}

// PipelineOptions are what the pipeline has to know of the other sections.
func (c Config) PipelineOptions() pipeline.Options {
	o := pipeline.Options{Registered: c.SchemaRegistry.Client.Enabled()}
	if c.Source.Kafka.TopicPattern == "" {
		o.Sources = c.Source.Kafka.Topics
	}
	if c.Sink.Type == SinkKafka {
		o.Topic, o.Topics = c.Sink.Kafka.Output.Topic, c.Sink.Kafka.Output.Destinations()
	}
	return o
}

// SinkConnection is how the Kafka sink reaches its cluster: all its own if sink.kafka.brokers is given, else the
// source's. Nothing but the client's name is mixed, so that credentials never go to a cluster they were not meant for.
func (c Config) SinkConnection() kafka.Config {
	own := c.Sink.Kafka.Connection
	if len(own.Brokers) == 0 {
		return c.Kafka
	}
	if own.ClientID == "" {
		own.ClientID = c.Kafka.ClientID
	}
	return own
}
