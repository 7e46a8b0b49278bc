package config

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
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
	open := []string{} // the sections that the lines before stand in
	for _, k := range schemaOf(cfg).keys {
		if unused(cfg, k.path) {
			continue
		}
		names := strings.Split(k.path, ".")
		sections := names[:len(names)-1]
		lines = append(lines, headings(open, sections)...)
		open = sections
		lines = append(lines, line{
			text:    indent(len(sections)) + names[len(names)-1] + ": " + k.text(),
			comment: origins.Of(k.path).String(),
		})
		if k.path == "pipeline.decode" { // between decode and encode, as the records take them
			steps, err := stepLines(cfg, origins)
			if err != nil {
				return "", err
			}
			lines = append(lines, steps...)
		}
	}
	return layOut(lines), nil
}

// unused is a key in the section of another sink than the chosen one, or of a connection that the sink does not have.
func unused(cfg Config, path string) bool {
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

func stepLines(cfg Config, origins Origins) ([]line, error) {
	if len(cfg.Pipeline.Steps) == 0 {
		return []line{{text: indent(1) + "steps: []", comment: origins.Of("pipeline.steps").String()}}, nil
	}
	text, err := yaml.Marshal(cfg.Pipeline.Steps)
	if err != nil {
		return nil, fmt.Errorf("write pipeline.steps: %w", err)
	}
	lines := []line{{text: indent(1) + "steps:", comment: origins.Of("pipeline.steps").String()}}
	for part := range strings.Lines(string(text)) {
		lines = append(lines, line{text: indent(2) + strings.TrimRight(part, "\n")})
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
