package pipeline

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"streamer/internal/codec"
	"streamer/internal/setting"
)

// What happens with a record that fails. Dead letters are the third; they come with their topic.
const (
	onErrorFail = "fail" // stop the partition before the record
	onErrorSkip = "skip" // count it and go on
)

// Config is the `pipeline:` section.
type Config struct {
	// Workers process blocks in parallel; 0 is auto, one per CPU.
	Workers int `yaml:"workers"`
	// Decode is how input values are read: raw, string or json.
	Decode string `yaml:"decode"`
	// Encode is how output values are written: raw, string or json.
	Encode string `yaml:"encode"`
	// OnError is what happens with a record that fails: fail or skip.
	OnError string `yaml:"on_error"`
	Steps   []Step `yaml:"steps"`
}

// Step is one of Filter and Map.
type Step struct {
	// Filter keeps the records for which the expression is true.
	Filter string `yaml:"filter,omitempty"`
	// Map replaces the value by a new object.
	Map Mapping `yaml:"map,omitempty"`

	// unread is set when the step could not be read; its faults are known, and Validate adds none that follow from it.
	unread bool
}

// Mapping is the fields of a new object, in the order in which they are written.
type Mapping []Field

// Field is one field of a Mapping and the expression that gives its value.
type Field struct {
	Name       string
	Expression string
}

// MarshalYAML implements yaml.Marshaler; the fields keep their order.
func (m Mapping) MarshalYAML() (any, error) {
	node := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for _, field := range m {
		var name, expression yaml.Node
		name.SetString(field.Name)
		expression.SetString(field.Expression)
		node.Content = append(node.Content, &name, &expression)
	}
	return node, nil
}

// DefaultConfig passes records through byte for byte.
func DefaultConfig() Config {
	return Config{Decode: codec.Raw.String(), Encode: codec.Raw.String(), OnError: onErrorFail}
}

// Validate returns everything that is wrong, expressions included. Fields are full paths such as
// pipeline.steps[0].filter.
func (c Config) Validate() []setting.Fault {
	_, faults := build(c)
	return faults
}

// maxWorkers is far above any machine; without it a slip of the finger starts a million goroutines.
const maxWorkers = 4096

// formats checks the settings beside the steps and returns the formats they name.
func (c Config) formats() (decode, encode codec.Format, faults []setting.Fault) {
	decode, faults = parseFormat("decode", c.Decode, faults)
	encode, faults = parseFormat("encode", c.Encode, faults)
	if c.OnError != onErrorFail && c.OnError != onErrorSkip {
		faults = append(faults, fault("on_error", c.OnError, "is not a policy; write fail or skip"))
	}
	if c.Workers < 0 || c.Workers > maxWorkers {
		faults = append(faults, fault("workers", strconv.Itoa(c.Workers),
			fmt.Sprintf("is not a number of workers; write auto, or 1 to %d", maxWorkers)))
	}
	return decode, encode, faults
}

func parseFormat(key, name string, faults []setting.Fault) (codec.Format, []setting.Fault) {
	format, ok := codec.Parse(name)
	if !ok {
		remedy := "is not a format; write one of " + strings.Join(codec.Names(), ", ")
		faults = append(faults, fault(key, name, remedy))
	}
	return format, faults
}

// fault names a setting below pipeline.
func fault(key, value, remedy string) setting.Fault {
	return setting.Fault{Field: "pipeline." + key, Value: value, Remedy: remedy}
}
