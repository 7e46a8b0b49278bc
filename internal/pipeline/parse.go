package pipeline

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"streamer/internal/codec"
	"streamer/internal/setting"
)

// ParseConfig reads the section from its node: names that the user chose keep their case, dots and order. What cannot be
// read is a fault and keeps its default. given lists the settings that have a scalar value there, by their full path. A nil
// or empty node is the default.
func ParseConfig(node *yaml.Node) (config Config, given []string, faults []setting.Fault) {
	p := &sectionParser{}
	config = DefaultConfig()
	if node == nil || isNull(node) {
		return config, nil, nil
	}
	p.section("", node, []entry{
		{"workers", func(at string, v *yaml.Node) { p.workers(at, v, &config.Workers) }},
		{"decode", func(at string, v *yaml.Node) { p.formats(at, v, &config.Decode) }},
		{"encode", func(at string, v *yaml.Node) { p.formats(at, v, &config.Encode) }},
		{"on_error", func(at string, v *yaml.Node) { p.onError(at, v, &config.OnError) }},
		{"circuit_breaker", func(at string, v *yaml.Node) { p.breaker(at, v, &config.CircuitBreaker) }},
		{"streams", func(at string, v *yaml.Node) { config.Streams = p.streams(at, v) }},
		{"steps", func(at string, v *yaml.Node) { config.Steps = p.steps(at, v) }},
		{"route", func(at string, v *yaml.Node) { p.route(at, v, &config.Route) }},
	})
	return config, p.given, p.faults
}

// sectionParser gathers faults and what is given; its paths are below pipeline.
type sectionParser struct {
	given  []string
	faults []setting.Fault
}

// entry is one key of a section and what reads its value.
type entry struct {
	name string
	read func(path string, value *yaml.Node)
}

func (p *sectionParser) fault(key, value, remedy string) {
	f := fault(key, value, remedy)
	if key == "" {
		f.Field = "pipeline"
	}
	p.faults = append(p.faults, f)
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.Tag == "!!null" }

// section reads a mapping with known keys.
func (p *sectionParser) section(path string, node *yaml.Node, entries []entry) {
	p.mappingNode(path, node, func(name string, value *yaml.Node) {
		names := make([]string, len(entries))
		for i, e := range entries {
			if names[i] = e.name; e.name == name {
				e.read(below(path, name), value)
				return
			}
		}
		section := "pipeline"
		if path != "" {
			section += "." + path
		}
		remedy := "is not known; " + section + " has " + strings.Join(names, ", ")
		if near, ok := setting.Nearest(name, names); ok {
			remedy = "is not known; did you mean " + near + "?"
		}
		p.fault(below(path, name), "", remedy)
	})
}

// mappingNode calls each with the keys and values of a mapping.
func (p *sectionParser) mappingNode(path string, node *yaml.Node, each func(name string, value *yaml.Node)) {
	if node.Kind != yaml.MappingNode {
		p.fault(path, node.Value, "is not a section; write `key: value` lines below it")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name := node.Content[i].Value
		if seen[name] {
			p.fault(below(path, name), "", "is given twice; write it once")
			continue
		}
		seen[name] = true
		each(name, node.Content[i+1])
	}
}

func below(path, name string) string { return strings.TrimPrefix(path+"."+name, ".") }

// scalar reads one scalar with parse, which returns a remedy if it cannot.
func (p *sectionParser) scalar(path string, node *yaml.Node, example string, parse func(text string) (remedy string)) {
	switch {
	case isNull(node): // `decode:` with nothing behind it is as if it were not there
	case node.Kind != yaml.ScalarNode:
		p.fault(path, "", "takes one word, not a list or a section; write "+path[strings.LastIndex(path, ".")+1:]+": "+example)
	default:
		if remedy := parse(node.Value); remedy != "" {
			p.fault(path, node.Value, remedy)
			return
		}
		p.given = append(p.given, "pipeline."+path)
	}
}

func (p *sectionParser) word(path string, node *yaml.Node, example string, to *string) {
	p.scalar(path, node, example, func(text string) string { *to = text; return "" })
}

func (p *sectionParser) count(path string, node *yaml.Node, to *int) {
	p.scalar(path, node, strconv.Itoa(*to), func(text string) string {
		number, err := strconv.Atoi(text)
		if err != nil {
			return "is not a whole number; write digits, such as " + strconv.Itoa(*to)
		}
		*to = number
		return ""
	})
}

func (p *sectionParser) yesNo(path string, node *yaml.Node, to *bool) {
	p.scalar(path, node, "true", func(text string) string {
		if text != "true" && text != "false" {
			return "is not a yes or no; write true or false"
		}
		*to = text == "true"
		return ""
	})
}

func (p *sectionParser) words(path string, node *yaml.Node, to *[]string) {
	if isNull(node) {
		return
	}
	if node.Kind != yaml.SequenceNode {
		p.fault(path, node.Value, "is not a list; write [a, b]")
		return
	}
	var items []string
	for _, item := range node.Content {
		if item.Kind != yaml.ScalarNode || isNull(item) {
			p.fault(path, "", "is a list of words; write [a, b]")
			return
		}
		items = append(items, item.Value)
	}
	*to = items
	p.given = append(p.given, "pipeline."+path)
}

func (p *sectionParser) workers(path string, node *yaml.Node, to *int) {
	if node.Value == "auto" {
		return
	}
	p.scalar(path, node, "auto", func(text string) string {
		number, err := strconv.Atoi(text)
		if err != nil || number < 1 {
			return fmt.Sprintf("is not a number of workers; write auto, or 1 to %d", maxWorkers)
		}
		*to = number
		return ""
	})
}

// formats reads `decode: json`, `decode: {key: string, value: json}` or the long form of either part.
func (p *sectionParser) formats(path string, node *yaml.Node, to *Formats) {
	if node.Kind != yaml.MappingNode {
		p.scalar(path, node, formatJSON, func(text string) string { to.Value.Format = text; return "" })
		return
	}
	p.section(path, node, []entry{
		{"key", func(at string, v *yaml.Node) { p.format(at, v, &to.Key) }},
		{"value", func(at string, v *yaml.Node) { p.format(at, v, &to.Value) }},
	})
}

func (p *sectionParser) format(path string, node *yaml.Node, to *codec.Config) {
	if node.Kind != yaml.MappingNode {
		p.scalar(path, node, formatJSON, func(text string) string { to.Format = text; return "" })
		return
	}
	p.section(path, node, []entry{
		{"format", func(at string, v *yaml.Node) { p.word(at, v, formatJSON, &to.Format) }},
		{"framing", func(at string, v *yaml.Node) { p.word(at, v, "none", &to.Framing) }},
		{"schema", func(at string, v *yaml.Node) { p.word(at, v, "file.avsc", &to.Schema) }},
		{"message", func(at string, v *yaml.Node) { p.word(at, v, "shop.Order", &to.Message) }},
		{"imports", func(at string, v *yaml.Node) { p.words(at, v, &to.Imports) }},
		{"subject", func(at string, v *yaml.Node) { p.word(at, v, "orders-value", &to.Subject) }},
		{"register", func(at string, v *yaml.Node) { p.yesNo(at, v, &to.Register) }},
	})
}

// onError reads `on_error: skip`, or a policy by class.
func (p *sectionParser) onError(path string, node *yaml.Node, to *OnError) {
	if node.Kind != yaml.MappingNode {
		p.word(path, node, Fail, &to.Default)
		return
	}
	policy := func(to *string) func(string, *yaml.Node) {
		return func(at string, v *yaml.Node) { p.word(at, v, Fail, to) }
	}
	p.section(path, node, []entry{
		{"default", policy(&to.Default)},
		{"decode", policy(&to.Decode)},
		{"evaluate", policy(&to.Evaluate)},
		{"encode", policy(&to.Encode)},
		{"too_large", policy(&to.TooLarge)},
	})
}

func (p *sectionParser) breaker(path string, node *yaml.Node, to *CircuitBreaker) {
	if isNull(node) {
		return
	}
	p.section(path, node, []entry{
		{"percent", func(at string, v *yaml.Node) { p.count(at, v, &to.Percent) }},
		{"batches", func(at string, v *yaml.Node) { p.count(at, v, &to.Batches) }},
		{"min_records", func(at string, v *yaml.Node) { p.count(at, v, &to.MinRecords) }},
	})
}

func (p *sectionParser) route(path string, node *yaml.Node, to *Route) {
	if isNull(node) {
		return
	}
	expression := func(to *string) func(string, *yaml.Node) {
		return func(at string, v *yaml.Node) {
			if *to = p.expression(at, v); *to != "" {
				p.given = append(p.given, "pipeline."+at)
			}
		}
	}
	p.section(path, node, []entry{
		{"topic", expression(&to.Topic)},
		{"key", expression(&to.Key)},
		{"partition", expression(&to.Partition)},
		{"timestamp", expression(&to.Timestamp)},
		{"headers", func(at string, v *yaml.Node) { p.headers(at, v, to) }},
	})
}

func (p *sectionParser) headers(path string, node *yaml.Node, to *Route) {
	if !isNull(node) {
		to.Headers = p.mapping(path, node, "headers: {name: expression}")
	}
}

// streams reads the named streams, in their order.
func (p *sectionParser) streams(path string, node *yaml.Node) []Stream {
	if isNull(node) {
		return nil
	}
	var streams []Stream
	p.mappingNode(path, node, func(name string, value *yaml.Node) {
		s := Stream{Name: name, Decode: rawFormats()}
		before := len(p.given)
		p.section(below(path, name), value, []entry{
			{"topics", func(at string, v *yaml.Node) { p.words(at, v, &s.Topics) }},
			{"decode", func(at string, v *yaml.Node) { p.formats(at, v, &s.Decode) }},
			{"steps", func(at string, v *yaml.Node) { s.Steps = p.steps(at, v) }},
		})
		p.given = p.given[:before] // a stream's settings have no scalar path: users choose its name
		streams = append(streams, s)
	})
	return streams
}
