package codec

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"streamer/internal/setting"
)

// settingNames are the keys of the section, in the order of Config.
func settingNames() []string {
	return []string{"format", "framing", "schema", "message", "imports", "subject", "register"}
}

// ParseConfig reads a word (the format) or a section. What cannot be read is a fault and keeps its zero value. path is
// where the node stands, such as pipeline.decode.value; each fault's field starts with it. A nil or empty node is the zero
// Config.
func ParseConfig(path string, node *yaml.Node) (Config, []setting.Fault) {
	var c Config
	switch {
	case node == nil || isNull(node):
		return c, nil
	case node.Kind == yaml.ScalarNode:
		c.Format = node.Value
		return c, nil
	case node.Kind != yaml.MappingNode:
		return c, []setting.Fault{{Field: path, Remedy: "is a list; write a format such as json, or a section with format: json"}}
	}
	var faults []setting.Fault
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i].Value, node.Content[i+1]
		remedy := "is given twice; write it once"
		if !seen[name] {
			remedy = readSetting(&c, name, value)
		}
		seen[name] = true
		if remedy != "" {
			faults = append(faults, setting.Fault{Field: path + "." + name, Remedy: remedy})
		}
	}
	if !seen["format"] {
		faults = append(faults, setting.Fault{
			Field: path + ".format", Remedy: "is missing; write one of " + strings.Join(Formats(), ", "),
		})
	}
	return c, faults
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.Tag == "!!null" }

// readSetting takes one setting and returns what is wrong with it.
func readSetting(c *Config, name string, node *yaml.Node) string {
	texts := map[string]*string{
		"format": &c.Format, "framing": &c.Framing, "schema": &c.Schema, "message": &c.Message, "subject": &c.Subject,
	}
	switch to := texts[name]; {
	case !slices.Contains(settingNames(), name):
		if near, ok := setting.Nearest(name, settingNames()); ok {
			return "is not known; did you mean " + near + "?"
		}
		return "is not known; a format has " + strings.Join(settingNames(), ", ")
	case isNull(node): // `schema:` with nothing behind it is as if it were not there
	case to != nil && node.Kind == yaml.ScalarNode:
		*to = node.Value
	case to != nil:
		return "takes one word"
	case name == "imports":
		if err := node.Decode(&c.Imports); err != nil {
			return "is not a list of directories; write [dir]"
		}
	default:
		if err := node.Decode(&c.Register); err != nil {
			return "is not true or false"
		}
	}
	return ""
}

// MarshalYAML implements yaml.Marshaler: a Config that is no more than a format is written as one word.
func (c Config) MarshalYAML() (any, error) {
	type section Config
	s := section(c)
	s.Format = c.format()
	word := section{Format: s.Format}
	if s.Framing == word.Framing && s.Schema == "" && s.Message == "" && len(s.Imports) == 0 && s.Subject == "" && !s.Register {
		return s.Format, nil
	}
	return s, nil
}
