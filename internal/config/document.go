package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"streamer/internal/setting"
)

// document is a YAML file that was parsed and holds nothing that is refused everywhere, and the line of every path.
type document struct {
	path   string
	schema *schema
	root   *yaml.Node // a mapping; nil if there is no file or it cannot be used
	lines  map[string]int
	faults Faults
}

// readDocument reads the file at path; without one the document is empty and has no faults.
func readDocument(path string, schema *schema) *document {
	d := &document{path: path, schema: schema, lines: map[string]int{}}
	if path == "" {
		return d
	}
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.fault(0, setting.Fault{Remedy: "no such file; write the path of the configuration after -c"})
	case err != nil:
		d.fault(0, setting.Fault{Remedy: fmt.Sprintf("cannot be read (%v); write the path of a YAML file after -c", reason(err))})
	default:
		d.parse(text)
	}
	return d
}

// reason leaves the path out of the error; the fault names it already.
func reason(err error) error {
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		return pathError.Err
	}
	return err
}

func (d *document) parse(text []byte) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var first, second yaml.Node
	err := decoder.Decode(&first)
	if errors.Is(err, io.EOF) || err == nil && first.Content[0].Tag == "!!null" {
		d.fault(0, setting.Fault{Remedy: "is empty; write at least source.kafka.topics, source.kafka.group and a sink"})
		return
	}
	if err != nil {
		d.fault(syntaxFault(err))
		return
	}
	if err = decoder.Decode(&second); err == nil {
		d.fault(second.Line, setting.Fault{Remedy: "a second YAML document begins; write one document, without ---"})
		return
	} else if !errors.Is(err, io.EOF) {
		d.fault(syntaxFault(err))
		return
	}
	root := first.Content[0]
	if root.Kind != yaml.MappingNode {
		d.fault(root.Line, setting.Fault{Remedy: "is not a list of settings; write `key: value` lines, such as `log: {level: info}`"})
		return
	}
	d.inspect("", root)
	d.root = root
}

// syntaxFault takes the line out of the parser's message. The name of an unknown alias is left out: it may be an
// unquoted password that begins with a star.
func syntaxFault(err error) (int, setting.Fault) {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if rest, found := strings.CutPrefix(message, "line "); found {
		number, problem, _ := strings.Cut(rest, ": ")
		if parsed, err := strconv.Atoi(number); err == nil {
			line, message = parsed, problem
		}
	}
	if strings.HasPrefix(message, "unknown anchor") {
		message = "unknown anchor"
	}
	return line, setting.Fault{
		Remedy: "is not YAML: " + message + "; indent with spaces, and quote values with special characters",
	}
}

// template is a reference that a shell or a compose file would fill in. Nothing fills it in here, and the text itself is
// never what was meant.
var template = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)([:?+=-][^}]*)?\}`)

// inspect notes the line of every path below node and faults what is refused wherever it stands.
func (d *document) inspect(path string, node *yaml.Node) {
	if node.Kind == yaml.AliasNode || node.Anchor != "" {
		d.fault(node.Line, setting.Fault{Field: path, Remedy: "has a YAML anchor or alias; write the value out"})
		return
	}
	switch node.Kind { //nolint:exhaustive // the others have nothing below them
	case yaml.ScalarNode:
		d.inspectScalar(path, node)
	case yaml.SequenceNode:
		for i, item := range node.Content {
			child := fmt.Sprintf("%s[%d]", path, i)
			d.lines[child] = item.Line
			d.inspect(child, item)
		}
	case yaml.MappingNode:
		d.inspectMapping(path, node)
	}
}

// inspectMapping compares names, not paths: a user's field "a.b" beside a field "a" with a "b" in it is no double.
func (d *document) inspectMapping(path string, node *yaml.Node) {
	seen := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name := node.Content[i]
		child := join(path, name.Value)
		if name.Kind != yaml.ScalarNode {
			d.fault(name.Line, setting.Fault{Field: path, Remedy: "has a key that is not a word; write `key: value`"})
			continue
		}
		if line, twice := seen[name.Value]; twice {
			d.fault(name.Line, setting.Fault{
				Field: child, Remedy: fmt.Sprintf("is already given in line %d; write it once", line),
			})
			continue
		}
		seen[name.Value] = name.Line
		d.lines[child] = name.Line
		d.inspect(child, node.Content[i+1])
	}
}

// inspectScalar shows no more of a reference than its name: ${NAME:-default} may hold a password.
func (d *document) inspectScalar(path string, node *yaml.Node) {
	reference := template.FindStringSubmatch(node.Value)
	if reference == nil {
		return
	}
	fault := setting.Fault{
		Field: path, Remedy: "${" + reference[1] + "} is not filled in here; write the value itself",
	}
	list, _, _ := strings.Cut(path, "[")
	if k, found := d.schema.byPath[list]; found {
		fault.Remedy += ", or leave the key out and set " + k.variable()
	}
	d.fault(node.Line, fault)
}

// faulty reports whether something at path or below was faulted already.
func (d *document) faulty(path string) bool {
	return slices.ContainsFunc(d.faults, func(f Fault) bool {
		rest, found := strings.CutPrefix(f.Field, path)
		return found && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

func (d *document) fault(line int, fault setting.Fault) {
	d.faults = append(d.faults, Fault{Fault: fault, Origin: Origin{Kind: FromFile, Name: d.path, Line: line}})
}

// origin is the line of path, or of the innermost section around it that the file has.
func (d *document) origin(path string) Origin {
	for path != "" {
		if line, found := d.lines[path]; found {
			return Origin{Kind: FromFile, Name: d.path, Line: line}
		}
		path = around(path)
	}
	if d.path == "" {
		return Origin{Kind: FromDefault}
	}
	return Origin{Kind: FromFile, Name: d.path}
}

// around is the path of the section or list that path is in.
func around(path string) string { return path[:max(0, strings.LastIndexAny(path, ".["))] }
