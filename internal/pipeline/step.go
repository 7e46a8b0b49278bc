package pipeline

import (
	"go.yaml.in/yaml/v3"

	"streamer/internal/reference"
	"streamer/internal/setting"
)

// The kinds of step, as the configuration names them.
const (
	KindFilter  = "filter"
	KindMap     = "map"
	KindSet     = "set"
	KindRemove  = "remove"
	KindFlatMap = "flat_map"
	KindKeyBy   = "key_by"
	KindJoin    = "join"
	KindReduce  = "reduce_by_key"
)

// stepKinds lists the kinds, in the order in which they are documented.
func stepKinds() []string {
	return []string{KindFilter, KindMap, KindSet, KindRemove, KindFlatMap, KindKeyBy, KindJoin, KindReduce}
}

// Step is one step. What it holds beside its kind depends on that.
type Step struct {
	Kind string
	// Expression of filter, flat_map, and key_by with a single key.
	Expression string
	// Fields of map, set, reduce_by_key, and key_by with a composite key.
	Fields Mapping
	// Paths of remove.
	Paths []string
	// Join of join.
	Join Join

	// unread is set when the step could not be read; its faults are known, and Validate adds none that follow from it.
	unread bool
}

// Join is what a join step says.
type Join struct {
	File     string           `yaml:"file"`
	Format   string           `yaml:"format,omitempty"` // csv or jsonl; empty: by the file's name
	Key      string           `yaml:"key"`              // the table's column that is looked up
	On       string           `yaml:"on"`               // the expression that gives the key
	As       string           `yaml:"as"`               // the field that the row becomes
	Type     string           `yaml:"type"`             // left or inner
	Reload   setting.Duration `yaml:"reload"`
	MaxBytes setting.Bytes    `yaml:"max_bytes"`
}

// The types of join.
const (
	joinLeft  = "left"  // a record without a row keeps going, with null in the field
	joinInner = "inner" // a record without a row is dropped
)

func defaultJoin() Join {
	table := reference.DefaultConfig()
	return Join{Type: joinLeft, Reload: table.Reload, MaxBytes: table.MaxBytes}
}

func (j Join) table() reference.Config {
	return reference.Config{File: j.File, Format: j.Format, Key: j.Key, Reload: j.Reload, MaxBytes: j.MaxBytes}
}

// MarshalYAML writes the step as the user would.
func (s Step) MarshalYAML() (any, error) {
	var content any
	switch {
	case s.Kind == KindJoin:
		content = s.Join
	case s.Kind == KindRemove:
		content = s.Paths
	case s.Fields != nil:
		content = s.Fields
	default:
		content = s.Expression
	}
	return map[string]any{s.Kind: content}, nil
}

// Mapping is named expressions, in the order in which they are written.
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
