package service

import (
	"fmt"
	"maps"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Config is a configuration by dotted path, such as "block.interval": "0".
type Config map[string]any

// With returns a copy with the changes in it; a nil value removes the path.
func (c Config) With(changes Config) Config {
	merged := maps.Clone(c)
	for path, value := range changes {
		if value == nil {
			delete(merged, path)
			continue
		}
		merged[path] = value
	}
	return merged
}

// YAML renders the configuration as a file.
func (c Config) YAML() ([]byte, error) {
	tree := map[string]any{}
	for path, value := range c {
		section := tree
		keys := strings.Split(path, ".")
		for _, key := range keys[:len(keys)-1] {
			next, ok := section[key].(map[string]any)
			if !ok {
				next = map[string]any{}
				section[key] = next
			}
			section = next
		}
		section[keys[len(keys)-1]] = value
	}
	text, err := yaml.Marshal(tree)
	if err != nil {
		return nil, fmt.Errorf("render configuration: %w", err)
	}
	return text, nil
}
