package config

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"streamer/internal/pipeline"
	"streamer/internal/setting"
)

// leastBudget still holds a fetch of 64 KiB from each of two brokers, unpacked, in the eighth that fetches may take.
const leastBudget = 1 << 20

// validate asks the owner of each section, and looks itself at what lies between sections.
func (l *loader) validate(cfg Config) {
	l.fault(cfg.Kafka.Validate("kafka")...)
	l.warn(cfg.Kafka.Warnings("kafka")...)
	l.fault(oneOf("source.type", cfg.Source.Type, "kafka")...)
	l.fault(cfg.Source.Kafka.Validate()...)
	l.warn(cfg.Source.Kafka.Warnings()...)
	l.validateRegistry(cfg.SchemaRegistry)
	l.fault(bounds("block", cfg.Block.MaxRecords, cfg.Block.MaxBytes)...)
	l.fault(bounds("batch", cfg.Batch.MaxRecords, cfg.Batch.MaxBytes)...)
	l.fault(cfg.Pipeline.Validate(cfg.PipelineOptions())...)
	l.validateDeadLetter(cfg)
	l.validateSink(cfg)
	l.fault(cfg.Memory.validate()...)
	l.fault(cfg.Shutdown.validate()...)
	l.fault(cfg.Admin.Validate()...)
	l.fault(oneOf("log.level", cfg.Log.Level, "debug", "info", "warn", "error")...)
	l.fault(oneOf("log.format", cfg.Log.Format, "auto", "text", "json")...)
}

// validateRegistry looks at the section and at TLS in it.
func (l *loader) validateRegistry(c SchemaRegistry) {
	l.fault(c.Client.Validate("schema_registry")...)
	l.fault(c.TLS.Validate("schema_registry.tls")...)
	l.warn(c.Client.Warnings("schema_registry")...)
}

// validateDeadLetter looks at the section only if a policy needs it, but for a topic that nothing would be written to.
func (l *loader) validateDeadLetter(cfg Config) {
	const field = "dead_letter.topic"
	topic, used := cfg.DeadLetter.Topic, cfg.Pipeline.OnError.Has(pipeline.DeadLetter)
	switch {
	case !used && topic == "":
		return
	case !used:
		l.warn(setting.Fault{
			Field: field, Value: topic, Remedy: "is never written to: no class of pipeline.on_error says dead_letter",
		})
		return
	case topic == "":
		l.fault(setting.Fault{
			Field: field, Remedy: "is required by pipeline.on_error: dead_letter; write the name of the topic for records that fail",
		})
		return
	case cfg.consumes(topic):
		l.fault(setting.Fault{
			Field: field, Value: topic,
			Remedy: "is consumed too, a record that fails would fail again without end; write another topic",
		})
	}
	for _, fault := range cfg.DeadLetter.Output().Validate() {
		fault.Field = "dead_letter" + strings.TrimPrefix(fault.Field, "sink.kafka")
		l.fault(fault)
	}
}

// validateSink looks at the chosen kind only: a file may hold the sections of others, for a variable to choose from.
func (l *loader) validateSink(cfg Config) {
	l.fault(cfg.Sink.Delivery.Validate()...)
	switch cfg.Sink.Type {
	case SinkKafka:
		l.validateKafkaSink(cfg)
	case SinkFile:
		l.fault(cfg.Sink.File.Validate()...)
	case SinkStdout:
		l.fault(cfg.Sink.Stdout.Validate()...)
	case SinkDrop:
		l.fault(cfg.Sink.Drop.Validate()...)
	case "": // chooseSink has said so
	default:
		l.fault(oneOf("sink.type", cfg.Sink.Type, sinkKinds()...)...)
	}
}

func (l *loader) validateKafkaSink(cfg Config) {
	l.fault(cfg.Sink.Kafka.Output.Validate()...)
	if len(cfg.Sink.Kafka.Connection.Brokers) > 0 {
		l.fault(cfg.SinkConnection().Validate("sink.kafka")...)
		l.warn(cfg.SinkConnection().Warnings("sink.kafka")...)
		return
	}
	for _, part := range connectionParts() {
		if path := "sink.kafka." + part; l.origins.below(path) {
			l.fault(setting.Fault{
				Field:  path,
				Remedy: "has no effect without brokers beside it; write sink.kafka.brokers, or use section kafka for both ends",
			})
		}
	}
	for _, topic := range cfg.Sink.Kafka.Output.Destinations() {
		field := "sink.kafka.topics"
		if topic == cfg.Sink.Kafka.Output.Topic {
			field = "sink.kafka.topic"
		}
		if cfg.consumes(topic) {
			l.fault(setting.Fault{
				Field: field, Value: topic,
				Remedy: "is consumed too, what is written would be read again without end; write another topic",
			})
		}
	}
}

// connectionParts are what sink.kafka takes beside brokers to reach a cluster of its own.
func connectionParts() []string { return []string{"client_id", "tls", "sasl"} }

// consumes reports whether the source reads the topic.
func (c Config) consumes(topic string) bool {
	if topic == "" {
		return false
	}
	pattern, err := regexp.Compile(c.Source.Kafka.TopicPattern)
	matches := err == nil && c.Source.Kafka.TopicPattern != "" && pattern.MatchString(topic)
	return matches || slices.Contains(c.Source.Kafka.Topics, topic)
}

func (m Memory) validate() []setting.Fault {
	if m.Budget == 0 || m.Budget >= leastBudget {
		return nil
	}
	return []setting.Fault{{
		Field: "memory.budget", Value: m.Budget.String(),
		Remedy: "is too small for one fetch; write auto, or " + setting.Bytes(leastBudget).String() + " or more",
	}}
}

func (s Shutdown) validate() []setting.Fault {
	if s.Timeout > 0 {
		return nil
	}
	return []setting.Fault{{
		Field: "shutdown.timeout", Value: s.Timeout.String(),
		Remedy: "leaves no time to deliver what is in flight; write for example 20s",
	}}
}

// bounds checks what closes a block or a batch. Their interval may be 0.
func bounds(section string, maxRecords int, maxBytes setting.Bytes) []setting.Fault {
	var faults []setting.Fault
	if maxRecords < 1 {
		faults = append(faults, setting.Fault{
			Field: section + ".max_records", Value: strconv.Itoa(maxRecords), Remedy: "is not a count; write 1 or more",
		})
	}
	if maxBytes < 1 {
		faults = append(faults, setting.Fault{
			Field: section + ".max_bytes", Value: maxBytes.String(), Remedy: "is not a size; write for example 1MiB",
		})
	}
	return faults
}

func oneOf(field, value string, words ...string) []setting.Fault {
	if slices.Contains(words, value) {
		return nil
	}
	remedy := "is not known; write " + strings.Join(words, ", ")
	if near, found := setting.Nearest(value, words); found {
		remedy = "is not known; write " + near
	}
	return []setting.Fault{{Field: field, Value: value, Remedy: remedy}}
}
