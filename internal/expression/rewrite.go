package expression

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"

	"streamer/internal/setting"
)

// rewriter turns names into reads of the record. It walks by itself because only then it knows, at an identifier, which
// let variables are in scope.
type rewriter struct {
	config *conf.Config
	text   file.Source
	scope  *Scope
	lets   []string
	paths  map[ast.Node]*path // the reads that it made
	done   map[ast.Node]ast.Node
	err    *Error
}

func (w *rewriter) fail(at ast.Node, problem, remedy string) ast.Node {
	if w.err == nil {
		w.err = located(w.text, at.Location(), problem, remedy)
	}
	return at
}

func (w *rewriter) all(nodes []ast.Node) {
	for i := range nodes {
		nodes[i] = w.node(nodes[i])
	}
}

// node returns what stands for n in the rewritten expression. The two comparisons of `a < b < c` share b; rewritten twice,
// its reads would be taken for unknown functions.
func (w *rewriter) node(n ast.Node) ast.Node {
	if out, again := w.done[n]; again {
		return out
	}
	out := w.rewrite(n)
	w.done[n] = out
	return out
}

func (w *rewriter) rewrite(n ast.Node) ast.Node {
	if read, ok := w.path(n); ok {
		return w.read(n, read)
	}
	switch n := n.(type) {
	case nil:
		return nil // an open end of a slice
	case *ast.UnaryNode:
		n.Node = w.node(n.Node)
	case *ast.BinaryNode:
		n.Left, n.Right = w.node(n.Left), w.node(n.Right)
	case *ast.ChainNode:
		return w.node(n.Node) // every member read gives nil for nil; the optional one has nothing to add
	case *ast.MemberNode:
		return call(n, callMember, w.node(n.Node), w.node(n.Property))
	case *ast.SliceNode:
		n.Node, n.From, n.To = w.node(n.Node), w.node(n.From), w.node(n.To)
	case *ast.CallNode:
		return w.call(n)
	case *ast.BuiltinNode:
		return w.builtin(n)
	case *ast.PredicateNode:
		n.Node = w.node(n.Node)
	case *ast.VariableDeclaratorNode:
		n.Value = w.node(n.Value)
		w.lets = append(w.lets, n.Name)
		n.Expr = w.node(n.Expr)
		w.lets = w.lets[:len(w.lets)-1]
	case *ast.SequenceNode:
		w.all(n.Nodes)
	case *ast.ConditionalNode:
		n.Cond, n.Exp1, n.Exp2 = w.node(n.Cond), w.node(n.Exp1), w.node(n.Exp2)
	case *ast.ArrayNode:
		w.all(n.Nodes)
	case *ast.MapNode:
		w.all(n.Pairs)
	case *ast.PairNode:
		n.Key, n.Value = w.node(n.Key), w.node(n.Value)
	}
	return n
}

// path finds the longest chain of constant names and indexes that starts at the record.
func (w *rewriter) path(n ast.Node) (*path, bool) {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		if slices.Contains(w.lets, n.Value) {
			return nil, false
		}
		return w.identifier(n), true
	case *ast.ChainNode:
		return w.path(n.Node)
	case *ast.MemberNode:
		next, ok := constantStep(n.Property)
		if !ok || n.Method {
			return nil, false
		}
		if base, ok := n.Node.(*ast.IdentifierNode); ok && !slices.Contains(w.lets, base.Value) {
			switch base.Value {
			case "meta":
				return w.meta(n, next), true
			case "$env":
				if row, ok := w.scope.joined(next.name); ok && !next.byIndex {
					return row, true
				}
			}
		}
		base, ok := w.path(n.Node)
		if !ok {
			return nil, false
		}
		return w.deeper(n, base, next), true
	}
	return nil, false
}

func constantStep(property ast.Node) (step, bool) {
	switch p := property.(type) {
	case *ast.StringNode:
		return step{name: p.Value}, true
	case *ast.IntegerNode:
		return step{index: p.Value, byIndex: true}, true
	case *ast.UnaryNode:
		if number, ok := p.Node.(*ast.IntegerNode); ok && p.Operator == "-" {
			return step{index: -number.Value, byIndex: true}, true
		}
	}
	return step{}, false
}

func (w *rewriter) identifier(n *ast.IdentifierNode) *path {
	if row, ok := w.scope.joined(n.Value); ok && n.Value != "meta" && n.Value != "$env" {
		return row
	}
	switch {
	case n.Value == "$env" && w.scope.Value != Opaque:
		return &path{}
	case n.Value == "meta":
		w.fail(n, "meta alone is not a value", "write one of meta."+strings.Join(metaNames(), ", meta.")+
			`; the value's own field is $env["meta"]`)
	case w.scope.Value == Opaque && n.Value == "value":
		w.fail(n, "the value is not decoded", "write decode: string for the whole text, or decode: json if value is a field of it")
	case w.scope.Value == Opaque:
		w.fail(n, fmt.Sprintf("the value is not decoded, so it has no field %s", n.Value),
			"write decode: json, or use only meta."+strings.Join(metaNames(), ", meta."))
	case w.scope.Value == Text && n.Value != "value":
		w.fail(n, fmt.Sprintf("a value decoded as string has no field %s", n.Value),
			"write value for the whole text, or decode: json")
	case w.scope.Value == Text:
		return &path{}
	}
	return &path{steps: []step{{name: n.Value}}}
}

func (w *rewriter) meta(n *ast.MemberNode, next step) *path {
	if i := slices.Index(metaNames(), next.name); i >= 0 && !next.byIndex {
		from := fromTopic + source(i)
		if from == fromKey && w.scope.Key == Fields {
			from = fromDecodedKey
		}
		return &path{from: from}
	}
	remedy := "write one of meta." + strings.Join(metaNames(), ", meta.")
	if near, ok := setting.Nearest(next.name, metaNames()); ok {
		remedy = "did you mean meta." + near + "?"
	}
	w.fail(n, fmt.Sprintf("there is no meta.%s", next.name), remedy+` The value's own field is $env["meta"]`)
	return &path{}
}

func (w *rewriter) deeper(n *ast.MemberNode, base *path, next step) *path {
	switch base.from {
	case fromValue, fromDecodedKey, fromJoined:
	case fromKey:
		w.fail(n, "the key is not decoded, so it has no parts", "write it without what follows, or decode: {key: json}")
	case fromHeaders:
		if len(base.steps) == 0 && !next.byIndex {
			break
		}
		fallthrough
	default:
		w.fail(n, "this part of meta is a single value", "write it without what follows")
	}
	base.steps = append(base.steps, next)
	return base
}

// read replaces a node by a call that reads the path.
func (w *rewriter) read(n ast.Node, p *path) ast.Node {
	name := p.String()
	define(w.config, name, func(args ...any) (any, error) {
		record, ok := args[0].(*Record)
		if !ok {
			return nil, failf("no record to read from")
		}
		return p.read(record), nil
	})
	out := call(n, name, &ast.IdentifierNode{Value: "$env"})
	w.paths[out] = p
	return out
}

func (w *rewriter) call(n *ast.CallNode) ast.Node {
	w.all(n.Arguments)
	switch callee := n.Callee.(type) {
	case *ast.IdentifierNode:
		return w.unknownFunction(callee)
	case *ast.MemberNode:
		if name, ok := callee.Property.(*ast.StringNode); ok && name.Value == "Local" {
			return w.fail(n, "the result would depend on the machine's time zone", `write In(timezone("Europe/Zurich"))`)
		}
		callee.Node = w.node(callee.Node)
	}
	return n
}

func (w *rewriter) unknownFunction(callee *ast.IdentifierNode) ast.Node {
	if callee.Value == "now" {
		return w.fail(callee, "now() is off: the same records must always give the same result",
			"use meta.timestamp, milliseconds since 1970")
	}
	remedy := "see docs/expressions.md for the functions"
	if near, ok := setting.Nearest(callee.Value, builtin.Names); ok {
		remedy = "did you mean " + near + "?"
	}
	return w.fail(callee, fmt.Sprintf("there is no function %s", callee.Value), remedy)
}

func (w *rewriter) builtin(n *ast.BuiltinNode) ast.Node {
	w.all(n.Arguments)
	switch n.Name {
	case "keys", "values", "toPairs", "fromJSON", "date", "timezone":
		return call(n, callPure+n.Name, n.Arguments...)
	}
	return n
}

// call makes a call of one of this package's functions in the place of n.
func call(n ast.Node, name string, arguments ...ast.Node) *ast.CallNode {
	callee := &ast.IdentifierNode{Value: name}
	callee.SetLocation(n.Location())
	out := &ast.CallNode{Callee: callee, Arguments: arguments}
	out.SetLocation(n.Location())
	return out
}
