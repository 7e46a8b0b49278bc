package pipeline

import (
	"fmt"
	"strconv"

	"go.yaml.in/yaml/v3"

	"streamer/internal/codec"
	"streamer/internal/setting"
)

// Config is the `pipeline:` section.
type Config struct {
	// Workers process blocks in parallel; 0 is auto, one per CPU.
	Workers int `yaml:"workers"`
	// Decode is how input keys and values are read.
	Decode Formats `yaml:"decode"`
	// Encode is how output keys and values are written.
	Encode Formats `yaml:"encode"`
	// OnError is what happens with a record that fails.
	OnError OnError `yaml:"on_error"`
	// CircuitBreaker stops the service when most records fail.
	CircuitBreaker CircuitBreaker `yaml:"circuit_breaker"`
	// Streams give some topics a decode and steps of their own, before the common ones.
	Streams Streams `yaml:"streams"`
	// Steps are what every record goes through.
	Steps []Step `yaml:"steps"`
	// Route decides where each output goes; the last link of the chain.
	Route Route `yaml:"route"`
}

// Formats are how the two parts of a record are written.
type Formats struct {
	Key   codec.Config `yaml:"key"`
	Value codec.Config `yaml:"value"`
}

// Stream is the part of the chain that only some topics go through. The common steps run on the union of all.
type Stream struct {
	Name   string   `yaml:"-"`
	Topics []string `yaml:"topics"`
	Decode Formats  `yaml:"decode"`
	Steps  []Step   `yaml:"steps"`
}

// Streams are named in the configuration, and keep their order.
type Streams []Stream

// MarshalYAML implements yaml.Marshaler.
func (s Streams) MarshalYAML() (any, error) {
	node := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for i := range s {
		var name, content yaml.Node
		name.SetString(s[i].Name)
		if err := content.Encode(s[i]); err != nil {
			return nil, fmt.Errorf("write stream %s: %w", s[i].Name, err)
		}
		node.Content = append(node.Content, &name, &content)
	}
	return node, nil
}

// Route holds the expressions that decide where an output goes. An empty one leaves it as it is.
type Route struct {
	Topic     string  `yaml:"topic"`
	Key       string  `yaml:"key"`
	Partition string  `yaml:"partition"`
	Timestamp string  `yaml:"timestamp"` // milliseconds since 1970
	Headers   Mapping `yaml:"headers"`
}

// CircuitBreaker bounds how many records may fail before the service stops: more than Percent of the records of the last
// Batches batches, if there were at least MinRecords. A Percent of 0 turns it off.
type CircuitBreaker struct {
	Percent    int `yaml:"percent"`
	Batches    int `yaml:"batches"`
	MinRecords int `yaml:"min_records"`
}

// DefaultConfig passes records through byte for byte, and stops at the first that fails.
func DefaultConfig() Config {
	return Config{
		Decode: rawFormats(), Encode: rawFormats(),
		OnError:        OnError{Default: Fail},
		CircuitBreaker: CircuitBreaker{Percent: 50, Batches: 10, MinRecords: 100},
	}
}

func rawFormats() Formats {
	return Formats{Key: codec.Config{Format: formatRaw}, Value: codec.Config{Format: formatRaw}}
}

// Shorthands maps each section that may be written as one word to the setting that the word is for: `decode: json` is
// `decode: {value: {format: json}}`.
func Shorthands() map[string]string {
	return map[string]string{
		"pipeline.decode":       "pipeline.decode.value.format",
		"pipeline.decode.key":   "pipeline.decode.key.format",
		"pipeline.decode.value": "pipeline.decode.value.format",
		"pipeline.encode":       "pipeline.encode.value.format",
		"pipeline.encode.key":   "pipeline.encode.key.format",
		"pipeline.encode.value": "pipeline.encode.value.format",
		"pipeline.on_error":     "pipeline.on_error.default",
	}
}

// WithLists takes over from another configuration what has no scalar form, and so cannot be set by a variable: streams,
// steps and headers.
func (c Config) WithLists(from Config) Config {
	c.Streams, c.Steps, c.Route.Headers = from.Streams, from.Steps, from.Route.Headers
	return c
}

// Validate returns everything that is wrong, expressions included. Fields are full paths such as
// pipeline.steps[0].filter.
func (c Config) Validate(o Options) []setting.Fault {
	_, faults := build(c, o)
	return faults
}

// maxWorkers is far above any machine; without it a slip of the finger starts a million goroutines.
const maxWorkers = 4096

// numbers checks the settings that are counts.
func (c Config) numbers() []setting.Fault {
	var faults []setting.Fault
	if c.Workers < 0 || c.Workers > maxWorkers {
		faults = append(faults, fault("workers", strconv.Itoa(c.Workers),
			fmt.Sprintf("is not a number of workers; write auto, or 1 to %d", maxWorkers)))
	}
	b := c.CircuitBreaker
	if b.Percent < 0 || b.Percent > 100 {
		faults = append(faults, fault("circuit_breaker.percent", strconv.Itoa(b.Percent),
			"is not a percentage; write 0 to 100, 0 turns the circuit breaker off"))
	}
	if b.Batches < 1 || b.Batches > maxBreakerBatches {
		faults = append(faults, fault("circuit_breaker.batches", strconv.Itoa(b.Batches),
			fmt.Sprintf("is not a number of batches; write 1 to %d", maxBreakerBatches)))
	}
	if b.MinRecords < 1 {
		faults = append(faults, fault("circuit_breaker.min_records", strconv.Itoa(b.MinRecords),
			"is not a number of records; write 1 or more"))
	}
	return faults
}

// maxBreakerBatches is more than a circuit breaker can wait for.
const maxBreakerBatches = 10_000

// fault names a setting below pipeline.
func fault(key, value, remedy string) setting.Fault {
	return setting.Fault{Field: "pipeline." + key, Value: value, Remedy: remedy}
}
