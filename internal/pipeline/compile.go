package pipeline

import (
	"errors"
	"fmt"
	"slices"

	"streamer/internal/aggregate"
	"streamer/internal/codec/registry"
	"streamer/internal/document"
	"streamer/internal/expression"
	"streamer/internal/reference"
	"streamer/internal/setting"
)

// Options are what a chain needs beside its configuration.
type Options struct {
	// Topics that route.topic may name: the sink's allow-list.
	Topics []string
	// Topic that the sink writes to by itself; empty if it has none.
	Topic string
	// Registered is set if there is a schema registry. Registry asks it; without one a chain can be checked, not compiled.
	Registered bool
	Registry   *registry.Client
	// Sources are the topics that are consumed; nil if they are not known by name.
	Sources []string
	// OpenTable loads a reference table; nil means [reference.Open] without metrics.
	OpenTable func(reference.Config) (*reference.Table, error)
}

// Chain is a compiled pipeline. It is immutable; any goroutine may use it.
type Chain struct {
	branches map[string]*branch // by topic
	rest     *branch            // of all other topics
	onError  OnError
	reduced  *reduction // nil unless the pipeline aggregates
	tables   []*reference.Table
}

// branch is what the records of one stream go through: the stream's own steps, then the common ones.
type branch struct {
	stream   string // empty for the topics that no stream names
	decode   formats
	links    []link
	lists    int // flat_maps
	tables   []*reference.Table
	mostRows int // joined rows that are not part of the value, at most
	columns  []column
	out      output
	// fields are all that is read of the decoded value; nil if that may be all of it, or the format cannot be read in part.
	fields *document.Names
}

// passes reports whether records go through as they are, so that nothing is done for each of them.
func (b *branch) passes() bool {
	return len(b.links) == 0 && b.columns == nil && b.out.passes()
}

// branchOf finds what the topic's records go through.
func (c *Chain) branchOf(topic string) *branch {
	if b, own := c.branches[topic]; own {
		return b
	}
	return c.rest
}

// Aggregates reports whether batches have to go through a [Reducer] before they are written.
func (c *Chain) Aggregates() bool { return c.reduced != nil }

// Tables returns the reference tables, which somebody has to keep up to date.
func (c *Chain) Tables() []*reference.Table { return c.tables }

// Compile builds the chain; the error lists every fault of the configuration.
func Compile(c Config, o Options) (*Chain, error) {
	chain, faults := build(c, o)
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
func build(c Config, o Options) (*Chain, []setting.Fault) {
	b := &builder{options: o, config: c, chain: &Chain{branches: map[string]*branch{}, onError: c.OnError}}
	b.faults = append(c.numbers(), c.OnError.validate()...)
	b.encode = b.formats("encode", c.Encode, false)
	for i := range c.Streams {
		b.stream(&c.Streams[i])
	}
	b.chain.rest = b.branch("", "decode", c.Decode, nil)
	if b.chain.rest.columns != nil {
		b.reduction()
	}
	return b.chain, b.faults
}

// builder compiles one branch after the other. It knows what names the value offers at the step that is compiled.
type builder struct {
	options Options
	config  Config
	chain   *Chain
	encode  formats
	now     *branch
	scope   expression.Scope
	rows    []rowField // joined and not yet part of the value; the names are scope.Joined
	unsure  bool       // a fault before makes further ones worthless
	opened  map[reference.Config]*reference.Table
	faults  []setting.Fault
}

// fault notes what is wrong with a setting below pipeline. Common steps are compiled once for each stream; the same fault
// is noted once.
func (b *builder) fault(key, value, remedy string) { b.note(fault(key, value, remedy)) }

func (b *builder) note(f setting.Fault) {
	if !slices.Contains(b.faults, f) {
		b.faults = append(b.faults, f)
	}
}

func (b *builder) stream(s *Stream) {
	path := "streams." + s.Name
	if len(s.Topics) == 0 {
		b.fault(path+".topics", "", "is required; write the topics that go through this stream, such as [orders]")
	}
	for i := range s.Steps {
		if s.Steps[i].Kind == KindReduce {
			b.fault(fmt.Sprintf("%s.steps[%d].%s", path, i, KindReduce), "",
				"runs on the union of all streams; write it in pipeline.steps")
		}
	}
	own := b.branch(path, path+".decode", s.Decode, s.Steps)
	own.stream = s.Name
	for _, topic := range s.Topics {
		if _, twice := b.chain.branches[topic]; twice {
			b.fault(path+".topics", topic, "is in two streams; write each topic once")
		}
		if b.options.Sources != nil && !slices.Contains(b.options.Sources, topic) {
			b.fault(path+".topics", topic, "is not consumed; write it in source.kafka.topics too")
		}
		b.chain.branches[topic] = own
	}
}

// branch compiles the steps of one stream and the common ones behind them.
func (b *builder) branch(path, decode string, formats Formats, own []Step) *branch {
	b.now = &branch{decode: b.formats(decode, formats, true)}
	key, value := &b.now.decode.key, &b.now.decode.value
	b.scope, b.rows = expression.Scope{Value: value.shape(), Key: key.keyShape()}, nil
	if b.unsure = key.faulty || value.faulty; b.unsure { // they may not be what the user meant: do not hold expressions to them
		b.scope.Value = expression.Fields
	}
	b.steps(below(path, "steps"), own)
	b.steps("steps", b.config.Steps)
	b.output()
	b.now.fields = b.now.narrow()
	return b.now
}

func (b *builder) steps(path string, steps []Step) {
	for i := range steps {
		at := fmt.Sprintf("%s[%d]", path, i)
		if b.now.columns != nil {
			b.fault(at, "", "comes after reduce_by_key, which must be the last step; write what is to be kept into reduce_by_key")
			return
		}
		b.step(at, &steps[i])
	}
}

// step compiles one step and adds it to the branch.
func (b *builder) step(at string, s *Step) {
	path := at + "." + s.Kind
	if s.unread {
		b.scope, b.unsure = expression.Scope{Value: expression.Fields, Key: b.scope.Key}, true
		return
	}
	switch s.Kind {
	case KindFilter:
		b.add(&filter{path: path, program: b.condition(path, s.Expression)})
	case KindMap:
		b.add(b.mapping(path, s.Fields))
	case KindSet:
		b.add(b.set(path, s.Fields))
	case KindRemove:
		b.add(b.remove(path, s.Paths))
	case KindFlatMap:
		b.add(b.flatMap(path, s.Expression))
	case KindKeyBy:
		b.add(b.keyBy(path, s))
	case KindJoin:
		b.add(b.join(path, s.Join))
	case KindReduce:
		b.reduce(path, s.Fields)
	default:
		b.fault(at, "", "is empty; write `filter: a == 1` or `map: {a: a}`")
	}
}

func (b *builder) add(l link) { b.now.links = append(b.now.links, l) }

// rebuilt notes that the value is from here on an object that a step has built.
func (b *builder) rebuilt() {
	b.scope.Value, b.scope.Joined, b.rows = expression.Fields, nil, nil
	b.now.out.made = true
}

// object refuses a step that works on the fields of a value that has none.
func (b *builder) object(path string) {
	if b.scope.Value != expression.Fields {
		b.fault(path, "", "needs a value with fields; write decode: json, or a map before it")
	}
}

func (b *builder) expression(path, text string) *expression.Program {
	return b.compile(path, text, expression.Compile)
}

func (b *builder) condition(path, text string) *expression.Program {
	return b.compile(path, text, expression.CompileFilter)
}

func (b *builder) compile(
	path, text string, compile func(string, expression.Scope) (*expression.Program, error),
) *expression.Program {
	program, err := compile(text, b.scope)
	if err != nil {
		b.fault(path, clip(text), "has an error at "+err.Error())
	}
	return program
}

// table loads a reference table, once for each file however many branches look into it.
func (b *builder) table(path string, c reference.Config) *reference.Table {
	if found, ok := b.opened[c]; ok {
		return found
	}
	if b.opened == nil {
		b.opened = map[reference.Config]*reference.Table{}
	}
	b.opened[c] = nil
	if faults := c.Validate("pipeline." + path); len(faults) > 0 {
		for _, fault := range faults {
			b.note(fault)
		}
		return nil
	}
	open := b.options.OpenTable
	if open == nil {
		open = openTable
	}
	table, err := open(c)
	if err != nil {
		b.fault(path+".file", c.File, err.Error())
		return nil
	}
	b.opened[c] = table
	b.chain.tables = append(b.chain.tables, table)
	return table
}

// functionsOf are the functions of the aggregates, in their order.
func functionsOf(columns []column) []aggregate.Function {
	functions := make([]aggregate.Function, len(columns))
	for i := range columns {
		functions[i] = columns[i].function
	}
	return functions
}
