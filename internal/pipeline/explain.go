package pipeline

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"streamer/internal/expression"
)

// Explain describes the chain that a configuration gives, a line for each part: what a step does, the fields that its
// expressions read, and whether they run compiled or fall back to expr's machine, and why. The error lists every fault.
func Explain(c Config, o Options) ([]string, error) {
	chain, faults := build(c, o)
	if len(faults) > 0 {
		all := make([]error, len(faults))
		for i := range faults {
			all[i] = faults[i]
		}
		return nil, errors.Join(all...)
	}
	var lines []string
	seen := map[*branch]bool{}
	for _, topic := range slices.Sorted(maps.Keys(chain.branches)) {
		if b := chain.branches[topic]; !seen[b] {
			seen[b] = true
			lines = append(lines, b.explain("stream "+b.stream)...)
		}
	}
	name := "every record"
	if len(lines) > 0 {
		name = "records of other topics"
	}
	lines = append(lines, chain.rest.explain(name)...)
	if chain.reduced != nil {
		lines = append(lines, "every row of reduce_by_key:")
		lines = append(lines, chain.reduced.rows.out.explain()...)
	}
	return lines, nil
}

func (b *branch) explain(name string) []string {
	lines := []string{
		name + ":",
		fmt.Sprintf("  decode: key %s, value %s", b.decode.key.name, b.decode.value.name),
	}
	for _, l := range b.links {
		lines = append(lines, "  "+l.at())
		for _, part := range l.programs() {
			lines = append(lines, part.explain())
		}
	}
	for i := range b.columns {
		c := &b.columns[i]
		lines = append(lines, fmt.Sprintf("  %s: %s", c.path, c.function))
		if c.program != nil {
			lines = append(lines, (part{"", c.program}).explain())
		}
	}
	if b.columns != nil {
		return lines
	}
	return append(lines, b.out.explain()...)
}

func (o *output) explain() []string {
	var lines []string
	for path, program := range o.route.programs() {
		lines = append(lines, "  "+path, (part{"", program}).explain())
	}
	return append(lines, fmt.Sprintf("  encode: key %s, value %s: %s", o.encode.key.name, o.encode.value.name, o.value))
}

// String says what is done with a value at the end.
func (f finish) String() string {
	return [...]string{
		"handed on as it is", "checked and handed on as it is", "checked for UTF-8 and handed on", "written as JSON",
		"written by its schema",
	}[f]
}

// part is one expression of a link.
type part struct {
	name    string // of a field; empty if the link has one expression
	program *expression.Program
}

func (p part) explain() string {
	name := ""
	if p.name != "" {
		name = p.name + ": "
	}
	how := "compiled"
	if !p.program.Compiled() {
		how = "on expr's machine: " + p.program.FallbackReason()
	}
	reads := "reads nothing"
	if fields := p.program.Fields(); len(fields) > 0 {
		reads = "reads " + strings.Join(fields, ", ")
	}
	return fmt.Sprintf("    %s%s  (%s; %s)", name, p.program, reads, how)
}

func partsOf(fields []field) []part {
	parts := make([]part, len(fields))
	for i := range fields {
		parts[i] = part{strings.TrimSuffix(string(fields[i].prefix), ":"), fields[i].program}
	}
	return parts
}

func (l *filter) programs() []part  { return []part{{"", l.program}} }
func (l *mapping) programs() []part { return partsOf(l.fields) }
func (l *remove) programs() []part  { return nil }
func (l *flatMap) programs() []part { return []part{{"", l.program}} }
func (l *join) programs() []part    { return []part{{"on", l.program}} }

func (l *keyBy) programs() []part {
	if l.program != nil {
		return []part{{"", l.program}}
	}
	return partsOf(l.fields)
}

func (l *set) programs() []part { return placesOf(l.tree, "") }

func placesOf(tree []place, above string) []part {
	var parts []part
	for i := range tree {
		p := &tree[i]
		if name := above + p.name; p.leaf {
			parts = append(parts, part{name, p.field.program})
		} else {
			parts = append(parts, placesOf(p.below, name+".")...)
		}
	}
	return parts
}
