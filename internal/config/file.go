package config

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"streamer/internal/pipeline"
	"streamer/internal/setting"
)

// file is what the YAML file says: the values for viper, the pipeline, and the kinds of sink that it has a section for.
type file struct {
	*document

	values   layer
	pipeline pipeline.Config
	sinks    []string
}

func readFile(path string, schema *schema) *file {
	f := &file{document: readDocument(path, schema), values: layer{}, pipeline: pipeline.DefaultConfig()}
	if f.root != nil {
		f.readSection("", f.root)
	}
	return f
}

func (f *file) readSection(path string, node *yaml.Node) {
	if node.Kind != yaml.MappingNode {
		f.faultSection(path, node)
		return
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], node.Content[i+1]
		child := join(path, name.Value)
		k, isKey := f.schema.byPath[child]
		switch {
		case name.Kind != yaml.ScalarNode:
		case !slices.Contains(f.schema.children[path], name.Value):
			f.fault(name.Line, f.schema.unknown(path, name.Value))
		case child == "pipeline":
			f.readPipeline(value)
		case isKey:
			f.readKey(k, value)
		default:
			f.noteSink(path, name.Value)
			f.readSection(child, value)
		}
	}
}

// faultSection never shows what stands in place of the section: it may be a password.
func (f *file) faultSection(path string, node *yaml.Node) {
	if f.faulty(path) || isNull(node) { // `stdout:` with nothing behind it is a section with nothing in it
		return
	}
	names := f.schema.children[path]
	remedy := "is a section; write " + path + ": {}"
	if len(names) > 0 {
		remedy = "is a section; write its settings below it: " + strings.Join(names, ", ")
	}
	f.fault(node.Line, setting.Fault{Field: path, Remedy: remedy})
}

func (f *file) noteSink(section, name string) {
	if section == "sink" && slices.Contains(sinkKinds(), name) && !slices.Contains(f.sinks, name) {
		f.sinks = append(f.sinks, name)
	}
}

// readPipeline hands the section to its package, which keeps the case, dots and order of the users' keys, and takes
// over the scalars that were given, so that a variable or a flag can override them.
func (f *file) readPipeline(node *yaml.Node) {
	if node.Kind != yaml.MappingNode {
		f.faultSection("pipeline", node)
		return
	}
	parsed, given, faults := pipeline.ParseConfig(node)
	f.pipeline = parsed
	for _, fault := range faults {
		if !f.faulty(fault.Field) {
			f.fault(f.origin(fault.Field).Line, fault)
		}
	}
	values := schemaOf(Config{Pipeline: parsed})
	for _, path := range given {
		full := path
		if long, short := f.schema.shorthands[path]; short {
			full = long
			f.lines[full] = f.lines[path]
		}
		if k, isKey := values.byPath[full]; isKey && !f.faulty(path) {
			f.values[full] = k.fallback
		}
	}
}

func (f *file) readKey(k key, node *yaml.Node) {
	if f.faulty(k.path) || isNull(node) { // `group:` with nothing behind it is as if it were not there
		return
	}
	if k.secret() {
		f.fault(node.Line, setting.Fault{Field: k.path, Remedy: "does not belong in a file that is shared; write " +
			f.schema.fileFor(k) + ": /path/to/it, or set " + k.variable()})
		return
	}
	value, fault := f.value(k, node)
	if fault != nil {
		f.fault(node.Line, *fault)
		return
	}
	f.values[k.path] = value
}

func (f *file) value(k key, node *yaml.Node) (any, *setting.Fault) {
	switch {
	case !k.list() && node.Kind == yaml.ScalarNode:
		return k.parse(node.Value)
	case !k.list():
		return nil, &setting.Fault{Field: k.path, Remedy: "takes one value, not a list or a section; write one"}
	case node.Kind == yaml.ScalarNode:
		return nil, &setting.Fault{
			Field: k.path, Value: node.Value, Remedy: "is not a list; write [" + node.Value + "]",
		}
	}
	items := []string{}
	for _, item := range node.Content {
		if node.Kind != yaml.SequenceNode || item.Kind != yaml.ScalarNode || isNull(item) {
			return nil, &setting.Fault{Field: k.path, Remedy: "is a list of words; write [a, b]"}
		}
		items = append(items, item.Value)
	}
	return items, nil
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.Tag == "!!null" }
