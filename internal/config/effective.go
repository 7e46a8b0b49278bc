package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"streamer/internal/kafka"
	"streamer/internal/pipeline"
)

// line is one line of the effective configuration.
type line struct {
	text    string
	comment string
}

// Effective writes cfg as YAML, with the place that each value comes from as a comment, and secrets redacted. Sections of
// sinks that are not used are left out. But for secrets, reading it back gives cfg again.
func Effective(cfg Config, origins Origins) (string, error) {
	var lines []line
	defaults := newSchema()
	open := []string{} // the sections that the lines before stand in
	for _, k := range schemaOf(cfg).keys {
		names := strings.Split(k.path, ".")
		sections := names[:len(names)-1]
		if !unused(cfg, k, defaults) {
			lines = append(lines, headings(open, sections)...)
			open = sections
			lines = append(lines, line{
				text:    indent(len(sections)) + names[len(names)-1] + ": " + k.text(),
				comment: origins.Of(k.path).String(),
			})
		}
		for _, list := range listsBehind(k.path, cfg.Pipeline) {
			written, err := list.lines(origins)
			if err != nil {
				return "", err
			}
			sections = strings.Split(list.path, ".")
			lines = append(lines, headings(open, sections[:len(sections)-1])...)
			open = sections[:len(sections)-1]
			lines = append(lines, written...)
		}
	}
	return layOut(lines), nil
}

// unused is a key in the section of another sink than the chosen one, or of a connection that the sink does not have; and
// an empty one of the pipeline, which has dozens.
func unused(cfg Config, k key, defaults *schema) bool {
	path := k.path
	if strings.HasPrefix(path, "pipeline.") && !k.auto() {
		return reflect.ValueOf(k.fallback).IsZero() && reflect.ValueOf(defaults.byPath[path].fallback).IsZero()
	}
	if anotherLogin(cfg, path) {
		return true
	}
	if strings.HasPrefix(path, "schema_registry.") {
		return !cfg.SchemaRegistry.Client.Enabled()
	}
	if strings.HasPrefix(path, "dead_letter.") {
		return cfg.DeadLetter.Topic == ""
	}
	rest, inSink := strings.CutPrefix(path, "sink.")
	kind, name, below := strings.Cut(rest, ".")
	if !inSink || !below || !slices.Contains(sinkKinds(), kind) {
		return false
	}
	if kind != cfg.Sink.Type {
		return true
	}
	part, _, _ := strings.Cut(name, ".")
	return kind == SinkKafka && len(cfg.Sink.Kafka.Connection.Brokers) == 0 && slices.Contains(connectionParts(), part)
}

// anotherLogin is a key of a login that is not used: of tokens or of AWS's keys, where nothing is said of them.
func anotherLogin(cfg Config, path string) bool {
	login := cfg.Kafka.SASL
	if strings.HasPrefix(path, "sink.") {
		login = cfg.Sink.Kafka.Connection.SASL
	}
	return strings.Contains(path, "kafka.sasl.oauth.") && login.OAuth == (kafka.OAuth{}) ||
		strings.Contains(path, "kafka.sasl.aws.") && login.AWS == (kafka.AWS{})
}

// headings opens the sections that the line before was not in.
func headings(open, sections []string) []line {
	same := 0
	for same < len(open) && same < len(sections) && open[same] == sections[same] {
		same++
	}
	var lines []line
	for depth := same; depth < len(sections); depth++ {
		lines = append(lines, line{text: indent(depth) + sections[depth] + ":"})
	}
	return lines
}

// list is a part of the pipeline whose names are the user's, so that it has no keys.
type list struct {
	path    string
	content any
}

// listsBehind returns the lists that stand behind a key.
func listsBehind(path string, p pipeline.Config) []list {
	var lists []list
	switch path {
	case "pipeline.circuit_breaker.min_records":
		if len(p.Streams) > 0 {
			lists = append(lists, list{"pipeline.streams", p.Streams})
		}
		lists = append(lists, list{"pipeline.steps", p.Steps})
	case "pipeline.route.timestamp":
		if len(p.Route.Headers) > 0 {
			lists = append(lists, list{"pipeline.route.headers", p.Route.Headers})
		}
	}
	return lists
}

func (l list) lines(origins Origins) ([]line, error) {
	depth := strings.Count(l.path, ".")
	name := l.path[strings.LastIndex(l.path, ".")+1:]
	text, err := yaml.Marshal(l.content)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", l.path, err)
	}
	if string(text) == "[]\n" {
		return []line{{text: indent(depth) + name + ": []", comment: origins.Of(l.path).String()}}, nil
	}
	lines := []line{{text: indent(depth) + name + ":", comment: origins.Of(l.path).String()}}
	for part := range strings.Lines(string(text)) {
		lines = append(lines, line{text: indent(depth+1) + strings.TrimRight(part, "\n")})
	}
	return lines, nil
}

// layOut puts the comments of short lines under each other.
func layOut(lines []line) string {
	const widest = 48
	width := 0
	for _, l := range lines {
		if l.comment != "" && len(l.text) <= widest {
			width = max(width, len(l.text))
		}
	}
	var out strings.Builder
	for _, l := range lines {
		if l.comment == "" {
			fmt.Fprintln(&out, l.text)
			continue
		}
		fmt.Fprintf(&out, "%-*s  # %s\n", width, l.text, l.comment)
	}
	return out.String()
}

func indent(depth int) string { return strings.Repeat("  ", depth) }
