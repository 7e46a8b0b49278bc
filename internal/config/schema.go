package config

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"streamer/internal/pipeline"
	"streamer/internal/setting"
	"streamer/internal/sink/kafkasink"
)

// key is one setting that viper holds: a scalar or a list of scalars.
type key struct {
	path     string // block.max_bytes
	typ      reflect.Type
	fallback any // the default, of type typ
}

// variable is the key's environment variable.
func (k key) variable() string {
	return setting.Variable(k.path)
}

// secret values are taken from the environment only, and shown nowhere.
func (k key) secret() bool { return k.typ == reflect.TypeFor[setting.Secret]() }

func (k key) list() bool { return k.typ.Kind() == reflect.Slice }

// auto keys may say "auto", which their package reads as the zero value.
func (k key) auto() bool { return k.path == "memory.budget" || k.path == "pipeline.workers" }

// schema is every key, read off the Config struct, so that a setting cannot be in one and missing in the other.
type schema struct {
	keys   []key // in the struct's order
	byPath map[string]key
	// children are the names in each section: keys, sections, and what viper cannot hold (pipeline.steps).
	children map[string][]string
	// shorthands are sections that may be written as one word, with the key that the word is for.
	shorthands map[string]string
}

func newSchema() *schema {
	defaults := Default()
	// A pointer is nil by default; what its keys would be then has to come from somewhere.
	defaults.Sink.Kafka.Output.Create = &kafkasink.CreateConfig{Partitions: -1, ReplicationFactor: -1}
	defaults.DeadLetter.Create = &kafkasink.CreateConfig{Partitions: -1, ReplicationFactor: -1}
	return schemaOf(defaults)
}

// schemaOf reads the keys off cfg, with the values that it has as fallbacks. A section behind a nil pointer has none.
func schemaOf(cfg Config) *schema {
	s := &schema{byPath: map[string]key{}, children: map[string][]string{}, shorthands: pipeline.Shorthands()}
	s.add("", reflect.ValueOf(cfg))
	return s
}

func (s *schema) add(path string, section reflect.Value) {
	if _, seen := s.children[path]; !seen {
		s.children[path] = nil
	}
	for i := range section.NumField() {
		name, option, _ := strings.Cut(section.Type().Field(i).Tag.Get("yaml"), ",")
		field := reflect.Indirect(section.Field(i))
		if option == "inline" {
			s.add(path, field)
			continue
		}
		child := join(path, name)
		s.children[path] = append(s.children[path], name)
		switch {
		case !field.IsValid():
		case field.Kind() == reflect.Struct:
			s.add(child, field)
		case field.Kind() != reflect.Slice || field.Type().Elem().Kind() == reflect.String:
			k := key{path: child, typ: field.Type(), fallback: field.Interface()}
			s.keys = append(s.keys, k)
			s.byPath[child] = k
		}
	}
}

// fileFor is the setting that names a file with the secret: a file of its own, or the one for all keys of its section.
func (s *schema) fileFor(secret key) string {
	own := secret.path + "_file"
	if _, found := s.byPath[own]; found {
		return own
	}
	return secret.path[:strings.LastIndex(secret.path, ".")] + ".credentials_file"
}

// unknown says what to write instead of a key that does not exist: a near one in the same section, the same name in
// another section, or else what the section has.
func (s *schema) unknown(section, name string) setting.Fault {
	fault := setting.Fault{Field: join(section, name)}
	if k, found := s.byPath[fault.Field]; found {
		fault.Remedy = "has its sections in one name; write " + nested(k.path)
		return fault
	}
	if near, found := setting.Nearest(name, s.children[section]); found {
		fault.Remedy = "is not a setting; write " + join(section, near)
		return fault
	}
	for _, k := range s.keys {
		if strings.HasSuffix(k.path, "."+name) {
			fault.Remedy = "is not a setting; write " + k.path
			return fault
		}
	}
	names := slices.Sorted(slices.Values(s.children[section]))
	fault.Remedy = "is not a setting; " + orTop(section) + " has " + strings.Join(names, ", ")
	if len(names) == 0 {
		fault.Remedy = "is not a setting; " + section + " has none, write " + section + ": {}"
	}
	return fault
}

// find returns the key at path, or the one that path is short for.
func (s *schema) find(path string) (key, bool) {
	if long, short := s.shorthands[path]; short {
		path = long
	}
	k, found := s.byPath[path]
	return k, found
}

// variables maps every environment variable to its key.
func (s *schema) variables() map[string]key {
	all := make(map[string]key, len(s.keys))
	for _, k := range s.keys {
		all[k.variable()] = k
	}
	for short, path := range s.shorthands {
		all[setting.Variable(short)] = s.byPath[path]
	}
	return all
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func join(section, name string) string {
	if section == "" {
		return name
	}
	return section + "." + name
}

// unknownPath is unknown for a whole key path.
func (s *schema) unknownPath(path string) setting.Fault {
	dot := strings.LastIndex(path, ".")
	section, name := path[:max(0, dot)], path[dot+1:]
	if _, found := s.children[section]; found {
		return s.unknown(section, name)
	}
	fault := setting.Fault{Field: path, Remedy: "is not a setting; docs/configuration.md lists them"}
	if near, found := setting.Nearest(path, sortedNames(s.byPath)); found {
		fault.Remedy = "is not a setting; write " + near
	}
	return fault
}

// nested writes a key path as YAML: block: {interval: …}.
func nested(path string) string {
	names := strings.Split(path, ".")
	return strings.Join(names, ": {") + ": …" + strings.Repeat("}", len(names)-1)
}

func orTop(section string) string {
	if section == "" {
		return "the configuration"
	}
	return section
}
