package pipeline

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"streamer/internal/setting"
)

// settingNames are the keys of the section, in the order of Config.
func settingNames() []string { return []string{"workers", "decode", "encode", "on_error", "steps"} }

// stepNames are the kinds of step.
func stepNames() []string { return []string{"filter", "map"} }

// ParseConfig reads the section from its node: names that the user chose keep their case, dots and order. What cannot be
// read is a fault and keeps its default. A nil or empty node is the default.
func ParseConfig(node *yaml.Node) (Config, []setting.Fault) {
	p := &sectionParser{}
	config := DefaultConfig()
	if node == nil || isNull(node) {
		return config, nil
	}
	p.section("", node, func(key string, value *yaml.Node) {
		switch key {
		case "workers":
			p.workers(value, &config.Workers)
		case "decode":
			p.word(key, value, &config.Decode)
		case "encode":
			p.word(key, value, &config.Encode)
		case "on_error":
			p.word(key, value, &config.OnError)
		case "steps":
			config.Steps = p.steps(value)
		default:
			p.unknown(key, key, "pipeline", settingNames())
		}
	})
	return config, p.faults
}

// sectionParser gathers faults; its paths are below pipeline.
type sectionParser struct {
	faults []setting.Fault
}

func (p *sectionParser) fault(key, value, remedy string) {
	f := fault(key, value, remedy)
	if key == "" {
		f.Field = "pipeline"
	}
	p.faults = append(p.faults, f)
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.Tag == "!!null" }

// section calls each with the keys and values of a mapping.
func (p *sectionParser) section(path string, node *yaml.Node, each func(key string, value *yaml.Node)) {
	if node.Kind != yaml.MappingNode {
		p.fault(path, node.Value, "is not a section; write `key: value` lines below it")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name := node.Content[i].Value
		if seen[name] {
			p.fault(strings.TrimPrefix(path+"."+name, "."), "", "is given twice; write it once")
			continue
		}
		seen[name] = true
		each(name, node.Content[i+1])
	}
}

func (p *sectionParser) unknown(path, name, section string, known []string) {
	remedy := "is not known; " + section + " has " + strings.Join(known, ", ")
	if near, ok := setting.Nearest(name, known); ok {
		remedy = "is not known; did you mean " + near + "?"
	}
	p.fault(path, "", remedy)
}

// word reads one word. A section in its place will one day set key and value apart, or a policy by class.
func (p *sectionParser) word(key string, node *yaml.Node, to *string) {
	switch {
	case isNull(node): // `decode:` with nothing behind it is as if it were not there
	case node.Kind != yaml.ScalarNode:
		p.fault(key, "", "takes one word, not a list or a section; write "+key+": "+*to)
	default:
		*to = node.Value
	}
}

func (p *sectionParser) workers(node *yaml.Node, to *int) {
	if isNull(node) || node.Value == "auto" {
		return
	}
	number, err := strconv.Atoi(node.Value)
	if err != nil || number < 1 {
		p.fault("workers", node.Value, fmt.Sprintf("is not a number of workers; write auto, or 1 to %d", maxWorkers))
		return
	}
	*to = number
}

func (p *sectionParser) steps(node *yaml.Node) []Step {
	if isNull(node) {
		return nil
	}
	if node.Kind != yaml.SequenceNode {
		p.fault("steps", node.Value, "is not a list; write each step behind a dash, such as `- filter: a == 1`")
		return nil
	}
	steps := make([]Step, 0, len(node.Content))
	for i, item := range node.Content {
		before := len(p.faults)
		step := p.step(fmt.Sprintf("steps[%d]", i), item)
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
	p.section(path, node, func(key string, value *yaml.Node) {
		switch key {
		case "filter":
			step.Filter = p.expression(path+".filter", value)
		case "map":
			step.Map = p.mapping(path+".map", value)
		default:
			p.unknown(path+"."+key, key, "a step", stepNames())
		}
	})
	return step
}

func (p *sectionParser) mapping(path string, node *yaml.Node) Mapping {
	mapping := Mapping{}
	if node.Kind != yaml.MappingNode {
		p.fault(path, node.Value, "is not an object; write `map: {name: expression}`")
		return nil
	}
	p.section(path, node, func(name string, value *yaml.Node) {
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
