package pipeline

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"streamer/internal/codec"
	"streamer/internal/document"
	"streamer/internal/expression"
	"streamer/internal/setting"
)

// Chain is a compiled pipeline. It is immutable; any goroutine may use it.
type Chain struct {
	decode  codec.Format
	steps   []step
	finish  finish
	skip    bool // on_error: skip; else fail
	rebuild bool // every output value is made anew, none aliases the input
}

// step is a compiled filter or map.
type step struct {
	path   string // as the user finds it in the configuration: steps[0].filter
	filter *expression.Program
	fields []field
	turn   int  // of a map: which of a worker's two objects it writes; not the one that it reads
	last   bool // the last map of the chain: its object is the output
}

// field is one field of a map.
type field struct {
	path    string // steps[0].map.ad_id
	prefix  []byte // `"ad_id":`
	program *expression.Program
}

// finish is what is left to do with a value that no map has built.
type finish uint8

const (
	asIs     finish = iota
	decoded         // must be valid in the input format
	utf8Text        // must be UTF-8
	asString        // is text, to be written as a JSON string
)

// Compile builds the chain; the error lists every fault of the configuration.
func Compile(c Config) (*Chain, error) {
	chain, faults := build(c)
	if len(faults) == 0 {
		return chain, nil
	}
	all := make([]error, len(faults))
	for i := range faults {
		all[i] = faults[i]
	}
	return nil, errors.Join(all...)
}

// build compiles as far as it can, so that all faults come at once.
func build(c Config) (*Chain, []setting.Fault) {
	decode, encode, faults := c.formats()
	chain := &Chain{decode: decode, skip: c.OnError == onErrorSkip}
	b := &builder{shape: shapeOf(decode), faults: faults}
	if len(faults) > 0 { // the formats may not be what the user meant: do not hold expressions to them
		b.shape = expression.Fields
	}
	for i := range c.Steps {
		chain.steps = append(chain.steps, b.step(fmt.Sprintf("steps[%d]", i), &c.Steps[i]))
	}
	chain.orderMaps()
	if len(b.faults) == 0 {
		b.encode(chain, encode)
	}
	return chain, b.faults
}

// orderMaps finds the last map, and gives the others their turns.
func (c *Chain) orderMaps() {
	var last *step
	maps := 0
	for i := range c.steps {
		if s := &c.steps[i]; s.fields != nil {
			s.turn, last = maps%2, s
			maps++
		}
	}
	if last != nil {
		last.last, c.rebuild = true, true
	}
}

func shapeOf(f codec.Format) expression.Shape {
	switch f {
	case codec.String:
		return expression.Text
	case codec.JSON:
		return expression.Fields
	case codec.Raw:
	}
	return expression.Opaque
}

// builder knows what names the value offers at the step that is compiled.
type builder struct {
	shape  expression.Shape
	faults []setting.Fault
}

func (b *builder) fault(key, value, remedy string) {
	b.faults = append(b.faults, fault(key, value, remedy))
}

func (b *builder) step(path string, s *Step) step {
	out := step{path: path}
	switch {
	case s.unread:
		b.shape = expression.Fields
	case s.Filter != "" && len(s.Map) > 0:
		b.fault(path, "", "has filter and map; write two steps, each behind its own dash")
	case len(s.Map) > 0:
		out.path = path + ".map"
		for i := range s.Map {
			out.fields = append(out.fields, b.field(out.path, &s.Map[i]))
		}
		b.shape = expression.Fields
	case s.Map != nil:
		b.fault(path+".map", "", "has no fields; write `map: {name: expression}`")
	case strings.TrimSpace(s.Filter) == "":
		b.fault(path, "", "is empty; write `filter: a == 1` or `map: {a: a}`")
	default:
		out.path = path + ".filter"
		out.filter = b.expression(out.path, s.Filter, expression.CompileFilter)
	}
	return out
}

func (b *builder) field(path string, f *Field) field {
	out := field{path: path + "." + f.Name}
	if !utf8.ValidString(f.Name) {
		b.fault(out.path, "", "is not valid UTF-8; write the name in UTF-8")
		return out
	}
	out.prefix, _ = document.AppendString(nil, f.Name) // the only error is checked above
	out.prefix = append(out.prefix, ':')
	out.program = b.expression(out.path, f.Expression, expression.Compile)
	return out
}

func (b *builder) expression(
	path, text string, compile func(string, expression.Scope) (*expression.Program, error),
) *expression.Program {
	program, err := compile(text, expression.Scope{Value: b.shape})
	if err != nil {
		b.fault(path, strings.TrimSpace(text), "has an error at "+err.Error())
	}
	return program
}

// encode decides what is left to do after the steps, and refuses what makes no sense.
func (b *builder) encode(chain *Chain, encode codec.Format) {
	mapped := chain.rebuild
	switch {
	case mapped && encode != codec.JSON:
		b.fault("encode", encode.String(), "cannot write the object that map builds; write encode: json")
	case mapped || encode == codec.Raw:
	case encode == codec.JSON && chain.decode == codec.Raw:
		b.fault("encode", encode.String(), "cannot be made from bytes that are not decoded; write decode: json to check "+
			"that values are JSON, or decode: string to write each as a JSON string")
	case encode == chain.decode:
		chain.finish = decoded
	case encode == codec.String:
		chain.finish = utf8Text
	default:
		chain.finish, chain.rebuild = asString, true
	}
}
