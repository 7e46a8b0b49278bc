package expression

import (
	"cmp"
	"slices"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm"
)

// Program is a compiled expression. It is immutable; any goroutine may use it, each with an Evaluator of its own.
type Program struct {
	text        string
	fields      []string
	readsValue  bool
	readsWhole  bool
	readsKey    bool
	valueFields []string  // the names with which the paths into the value begin
	path        *path     // set if the whole expression is one read
	compute     compute   // set, with test, if it runs as closures
	test        condition // for which nil is false
	fallback    string    // why it needs expr's machine
	code        *vm.Program
	reasons     *reasons
}

// String returns the expression as the user wrote it.
func (p *Program) String() string { return p.text }

// ReadsValue reports whether the program looks into the value. If not, the value need not be decoded for it. Joined rows
// alone do not count.
func (p *Program) ReadsValue() bool { return p.readsValue }

// ReadsWhole reports whether the program reads $env as a whole. Then joined rows must be merged into the value first.
func (p *Program) ReadsWhole() bool { return p.readsWhole }

// ReadsKey reports whether the program looks into the decoded key, which needs Scope.Key to be Fields.
func (p *Program) ReadsKey() bool { return p.readsKey }

// Fields returns the paths that the program reads, sorted, as the user would write them: user.name, meta.offset, $env.
func (p *Program) Fields() []string { return slices.Clone(p.fields) }

// ValueFields returns the root fields of the value that the program reads. If it ReadsWhole, those are not all.
func (p *Program) ValueFields() []string { return slices.Clone(p.valueFields) }

// Compiled reports whether the program runs as closures, or is a single read. If not, it runs on expr's machine, which
// boxes every value.
func (p *Program) Compiled() bool { return p.fallback == "" }

// FallbackReason says in a few words why the program runs on expr's machine; empty if it does not.
func (p *Program) FallbackReason() string { return p.fallback }

// close makes closures of the tree, if it is of their subset.
func (p *Program) close(tree ast.Node, reads map[ast.Node]*path) {
	c := &closures{paths: reads}
	if p.compute = c.compute(tree); p.compute == nil {
		p.fallback = cmp.Or(c.refuse, "it is not of the subset that is compiled")
		return
	}
	if p.test = truthy(p.compute); isCondition(tree) {
		p.test = c.condition(tree)
	}
}

// note keeps what the program reads.
func (p *Program) note(reads map[ast.Node]*path, scope *Scope) {
	for _, read := range reads {
		p.fields = append(p.fields, read.fieldName(scope))
		switch read.from {
		case fromValue:
			p.readsValue = true
			p.readsWhole = p.readsWhole || scope.Value == Fields && len(read.steps) == 0
			if len(read.steps) > 0 && !read.steps[0].byIndex {
				p.valueFields = append(p.valueFields, read.steps[0].name)
			}
		case fromDecodedKey:
			p.readsKey = true
		case fromTopic, fromPartition, fromOffset, fromTimestamp, fromKey, fromHeaders, fromJoined:
		}
	}
	slices.Sort(p.fields)
	p.fields = slices.Compact(p.fields)
}
