package pipelinetest

import (
	"fmt"
	"os"

	"go.yaml.in/yaml/v3"

	"streamer/internal/setting"
)

// File is one file of tests.
type File struct {
	Path string
	// Config is the configuration whose pipeline is tested; empty is the command's own.
	Config string
	Cases  []Case
}

// Case is one named test.
type Case struct {
	Name        string    `yaml:"name"`
	Input       []Record  `yaml:"input"`
	Output      []Record  `yaml:"output"`
	DeadLetters []Failure `yaml:"dead_letters"`
	Skipped     []Failure `yaml:"skipped"`
	Stopped     *Failure  `yaml:"stopped"`
	Filtered    *int      `yaml:"filtered"`
	line        int
}

// Record is an input record, or an output as far as it is expected: what is not given is not looked at, but for the value.
// A value that is text is taken byte for byte, null is a tombstone, and anything else is a document in the pipeline's
// format.
type Record struct {
	Topic     string            `yaml:"topic"`
	Partition *int32            `yaml:"partition"`
	Offset    *int64            `yaml:"offset"`
	Timestamp *int64            `yaml:"timestamp"` // milliseconds since 1970
	Key       yaml.Node         `yaml:"key"`
	Value     yaml.Node         `yaml:"value"`
	Headers   map[string]string `yaml:"headers"`
}

// Failure is a record that is expected to fail. What is empty is not looked at.
type Failure struct {
	Offset int64  `yaml:"offset"`
	Class  string `yaml:"class"`
	Step   string `yaml:"step"`
	Reason string `yaml:"reason"`
}

// Read reads a file of tests. The error is a [setting.Fault] with the file and line in front.
func Read(path string) (*File, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read tests: %w", err)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, fmt.Errorf("read tests %s: %w", path, err)
	}
	file := &File{Path: path}
	if len(root.Content) != 1 || root.Content[0].Kind != yaml.MappingNode {
		return nil, file.fault(1, "", "is no file of tests; write `cases:` with a list of cases")
	}
	top := root.Content[0].Content
	for i := 0; i+1 < len(top); i += 2 {
		switch name, value := top[i], top[i+1]; name.Value {
		case "config":
			file.Config = value.Value
		case "cases":
			if err := file.cases(value); err != nil {
				return nil, err
			}
		default:
			return nil, file.unknown(name, []string{"config", "cases"})
		}
	}
	if len(file.Cases) == 0 {
		return nil, file.fault(1, "cases", "is missing or empty; write `cases: [{name: …, input: […], output: […]}]`")
	}
	return file, nil
}

func (f *File) fault(line int, field, remedy string) error {
	return fmt.Errorf("%s:%d: %w", f.Path, line, setting.Fault{Field: field, Remedy: remedy})
}

func (f *File) unknown(name *yaml.Node, known []string) error {
	remedy := fmt.Sprintf("is not known; write one of %v", known)
	if near, ok := setting.Nearest(name.Value, known); ok {
		remedy = "is not known; did you mean " + near + "?"
	}
	return f.fault(name.Line, name.Value, remedy)
}

func (f *File) cases(list *yaml.Node) error {
	if list.Kind != yaml.SequenceNode {
		return f.fault(list.Line, "cases", "is not a list; write each case behind a dash")
	}
	for _, item := range list.Content {
		if err := f.check(item, caseKeys()); err != nil {
			return err
		}
		c := Case{line: item.Line}
		if err := item.Decode(&c); err != nil {
			return fmt.Errorf("%s:%d: %w", f.Path, item.Line, err)
		}
		if c.Name == "" {
			return f.fault(item.Line, "name", "is missing; write what the case shows")
		}
		if len(c.Input) == 0 {
			return f.fault(item.Line, "input", "is missing; write at least one record, such as {value: {a: 1}}")
		}
		f.Cases = append(f.Cases, c)
	}
	return nil
}

// keys are the names that may stand in a mapping, with those below each.
type keys map[string]keys

func caseKeys() keys {
	record := keys{
		"topic": nil, "partition": nil, "offset": nil, "timestamp": nil, "key": nil, "value": nil, "headers": nil,
	}
	failure := keys{"offset": nil, "class": nil, "step": nil, "reason": nil}
	return keys{
		"name": nil, "input": record, "output": record, "dead_letters": failure, "skipped": failure, "stopped": failure,
		"filtered": nil,
	}
}

// check refuses unknown names: a typing error in an expectation would make a test that cannot fail.
func (f *File) check(node *yaml.Node, known keys) error {
	if node.Kind == yaml.SequenceNode {
		for _, item := range node.Content {
			if err := f.check(item, known); err != nil {
				return err
			}
		}
		return nil
	}
	if node.Kind != yaml.MappingNode {
		return f.fault(node.Line, "", "is not a section; write `name: value` lines")
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name := node.Content[i]
		below, ok := known[name.Value]
		if !ok {
			names := make([]string, 0, len(known))
			for k := range known {
				names = append(names, k)
			}
			return f.unknown(name, names)
		}
		if below != nil {
			if err := f.check(node.Content[i+1], below); err != nil {
				return err
			}
		}
	}
	return nil
}
