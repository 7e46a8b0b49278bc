package pipeline

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"streamer/internal/setting"
)

func (p *sectionParser) steps(path string, node *yaml.Node) []Step {
	if isNull(node) {
		return nil
	}
	if node.Kind != yaml.SequenceNode {
		p.fault(path, node.Value, "is not a list; write each step behind a dash, such as `- filter: a == 1`")
		return nil
	}
	steps := make([]Step, 0, len(node.Content))
	for i, item := range node.Content {
		before := len(p.faults)
		step := p.step(fmt.Sprintf("%s[%d]", path, i), item)
		step.unread = len(p.faults) > before
		steps = append(steps, step)
	}
	return steps
}

func (p *sectionParser) step(path string, node *yaml.Node) Step {
	var step Step
	if node.Kind != yaml.MappingNode || len(node.Content) == 0 {
		p.fault(path, node.Value, "is not a step; write `filter: a == 1` or `map: {a: a}`")
		return step
	}
	p.mappingNode(path, node, func(kind string, value *yaml.Node) {
		if !slices.Contains(stepKinds(), kind) {
			p.unknownStep(path+"."+kind, kind)
			return
		}
		if step.Kind != "" {
			p.fault(path, "", fmt.Sprintf("has %s and %s; write two steps, each behind its own dash", step.Kind, kind))
			return
		}
		step.Kind = kind
		p.content(path+"."+kind, value, &step)
	})
	return step
}

// content reads what stands behind a step's kind.
func (p *sectionParser) content(path string, node *yaml.Node, step *Step) {
	switch step.Kind {
	case KindFilter, KindFlatMap:
		step.Expression = p.expression(path, node)
	case KindMap, KindSet:
		step.Fields = p.mapping(path, node, step.Kind+": {name: expression}")
	case KindReduce:
		step.Fields = p.mapping(path, node, "reduce_by_key: {total: sum(price), records: count()}")
	case KindKeyBy:
		if node.Kind == yaml.MappingNode {
			step.Fields = p.mapping(path, node, "key_by: {name: expression}")
			return
		}
		step.Expression = p.expression(path, node)
	case KindRemove:
		if node.Kind == yaml.ScalarNode && !isNull(node) {
			step.Paths = []string{node.Value}
			return
		}
		p.words(path, node, &step.Paths)
	case KindJoin:
		step.Join = p.join(path, node)
	}
}

func (p *sectionParser) unknownStep(path, kind string) {
	remedy := "is not known; a step is one of " + strings.Join(stepKinds(), ", ")
	if near, ok := setting.Nearest(kind, stepKinds()); ok {
		remedy = "is not known; did you mean " + near + "?"
	}
	p.fault(path, "", remedy)
}

func (p *sectionParser) join(path string, node *yaml.Node) Join {
	join := defaultJoin()
	p.section(path, node, []entry{
		{"file", func(at string, v *yaml.Node) { p.word(at, v, "ads.csv", &join.File) }},
		{"format", func(at string, v *yaml.Node) { p.word(at, v, "csv", &join.Format) }},
		{"key", func(at string, v *yaml.Node) { p.word(at, v, "ad_id", &join.Key) }},
		{"on", func(at string, v *yaml.Node) { join.On = p.expression(at, v) }},
		{"as", func(at string, v *yaml.Node) { p.word(at, v, "ad", &join.As) }},
		{"type", func(at string, v *yaml.Node) { p.word(at, v, joinLeft, &join.Type) }},
		{"reload", func(at string, v *yaml.Node) { p.unit(at, v, "10s", join.Reload.UnmarshalText) }},
		{"max_bytes", func(at string, v *yaml.Node) { p.unit(at, v, "64MiB", join.MaxBytes.UnmarshalText) }},
	})
	return join
}

// unit reads a size or a duration.
func (p *sectionParser) unit(path string, node *yaml.Node, example string, read func([]byte) error) {
	p.scalar(path, node, example, func(text string) string {
		if err := read([]byte(text)); err != nil {
			if f, ok := errors.AsType[setting.Fault](err); ok {
				return f.Remedy
			}
			return err.Error()
		}
		return ""
	})
}

func (p *sectionParser) mapping(path string, node *yaml.Node, example string) Mapping {
	mapping := Mapping{}
	if node.Kind != yaml.MappingNode {
		p.fault(path, node.Value, "is not an object; write `"+example+"`")
		return nil
	}
	p.mappingNode(path, node, func(name string, value *yaml.Node) {
		mapping = append(mapping, Field{Name: name, Expression: p.expression(path+"."+name, value)})
	})
	return mapping
}

// expression takes the text of any scalar: `ok: true` is the expression true.
func (p *sectionParser) expression(path string, node *yaml.Node) string {
	if node.Kind != yaml.ScalarNode {
		p.fault(path, "", "is not an expression; put it in quotes if it has braces or brackets, such as '[a, b]'")
		return ""
	}
	if node.Tag == "!!null" && node.Value == "" {
		return ""
	}
	return node.Value
}
