package expression

import (
	"bytes"
	"regexp"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"

	"streamer/internal/document"
)

// condition is a compiled condition; its error is an *EvalError.
type condition = func(*Record) (bool, error)

// closures turns the conditions that most filters are made of into closures: a field against constants, joined by and,
// or and not. A test holds them to the same answers as expr's machine.
type closures struct {
	text  file.Source
	paths map[ast.Node]*path
}

// condition returns nil if any part of n needs expr's machine.
func (c *closures) condition(n ast.Node) condition {
	if read, ok := c.paths[n]; ok {
		return c.truth(n, read)
	}
	switch n := n.(type) {
	case *ast.BoolNode:
		return func(*Record) (bool, error) { return n.Value, nil }
	case *ast.UnaryNode:
		if n.Operator == "!" || n.Operator == "not" {
			return negated(c.condition(n.Node))
		}
	case *ast.BinaryNode:
		return c.binary(n)
	}
	return nil
}

func (c *closures) binary(n *ast.BinaryNode) condition {
	switch n.Operator {
	case "&&", "and":
		return joined(c.condition(n.Left), c.condition(n.Right), false)
	case "||", "or":
		return joined(c.condition(n.Left), c.condition(n.Right), true)
	case "==":
		return c.equality(n)
	case "!=":
		return negated(c.equality(n))
	case "<", "<=", ">", ">=":
		return c.order(n)
	case "in":
		return c.membership(n)
	case "contains", "startsWith", "endsWith", "matches":
		return c.textTest(n)
	}
	return nil
}

func negated(inner condition) condition {
	if inner == nil {
		return nil
	}
	return func(r *Record) (bool, error) {
		result, err := inner(r)
		return !result && err == nil, err
	}
}

// joined evaluates right only when left is not decisive already: true decides an or, false an and.
func joined(left, right condition, decisive bool) condition {
	if left == nil || right == nil {
		return nil
	}
	return func(r *Record) (bool, error) {
		if result, err := left(r); err != nil || result == decisive {
			return result, err
		}
		return right(r)
	}
}

func (c *closures) errorAt(n ast.Node, reason string) error {
	at := located(c.text, n.Location(), "", "")
	return &EvalError{Line: at.Line, Column: at.Column, Reason: reason}
}

func (c *closures) truth(n ast.Node, read *path) condition {
	return func(r *Record) (bool, error) {
		value := read.scalar(r)
		switch value.kind {
		case document.True:
			return true, nil
		case document.False, document.Null:
			return false, nil
		default:
			return false, c.errorAt(n, "condition is "+value.kindName()+", not true or false")
		}
	}
}

// literal reads a constant of the expression.
func literal(n ast.Node) (scalar, bool) {
	switch n := n.(type) {
	case *ast.NilNode:
		return scalar{kind: document.Null}, true
	case *ast.BoolNode:
		if n.Value {
			return scalar{kind: document.True}, true
		}
		return scalar{kind: document.False}, true
	case *ast.IntegerNode:
		return scalar{kind: document.Integer, integer: int64(n.Value)}, true
	case *ast.FloatNode:
		return scalar{kind: document.Float, float: n.Value}, true
	case *ast.StringNode:
		return scalar{kind: document.String, text: []byte(n.Value)}, true
	case *ast.UnaryNode:
		return negatedLiteral(n)
	}
	return scalar{}, false
}

func negatedLiteral(n *ast.UnaryNode) (scalar, bool) {
	value, ok := literal(n.Node)
	if !ok || n.Operator != "-" || !value.isNumber() {
		return scalar{}, false
	}
	value.integer, value.float = -value.integer, -value.float
	return value, true
}

// sides splits a comparison into the field and the constant; flipped if the constant stands on the left.
func (c *closures) sides(n *ast.BinaryNode) (read *path, constant scalar, flipped, ok bool) {
	left, right := n.Left, n.Right
	if read, ok = c.paths[left]; !ok {
		left, right, flipped = right, left, true
		if read, ok = c.paths[left]; !ok {
			return nil, scalar{}, false, false
		}
	}
	constant, ok = literal(right)
	return read, constant, flipped, ok
}

func (c *closures) equality(n *ast.BinaryNode) condition {
	read, constant, _, ok := c.sides(n)
	if !ok {
		return nil
	}
	return func(r *Record) (bool, error) {
		value := read.scalar(r)
		return value.equal(&constant), nil
	}
}

func (c *closures) order(n *ast.BinaryNode) condition {
	read, constant, flipped, ok := c.sides(n)
	if !ok || !constant.isNumber() && constant.kind != document.String {
		return nil
	}
	want := map[string][2]int{"<": {-1, -1}, "<=": {-1, 0}, ">": {1, 1}, ">=": {1, 0}}[n.Operator]
	if flipped {
		want[0] = -want[0]
		want[1] = -want[1]
	}
	return func(r *Record) (bool, error) {
		value := read.scalar(r)
		if value.kind == document.Null {
			return false, nil
		}
		order, ok := value.compare(&constant)
		if !ok {
			return false, c.errorAt(n, "cannot order "+value.kindName()+" and "+constant.kindName())
		}
		return order == want[0] || order == want[1], nil
	}
}

func (c *closures) membership(n *ast.BinaryNode) condition {
	read, ok := c.paths[n.Left]
	list, isList := n.Right.(*ast.ArrayNode)
	if !ok || !isList {
		return nil
	}
	constants := make([]scalar, len(list.Nodes))
	for i := range list.Nodes {
		if constants[i], ok = literal(list.Nodes[i]); !ok {
			return nil
		}
	}
	return func(r *Record) (bool, error) {
		value := read.scalar(r)
		for i := range constants {
			if value.equal(&constants[i]) {
				return true, nil
			}
		}
		return false, nil
	}
}

func (c *closures) textTest(n *ast.BinaryNode) condition {
	read, ok := c.paths[n.Left]
	constant, isText := n.Right.(*ast.StringNode)
	if !ok || !isText {
		return nil
	}
	var test func(text []byte) bool
	part := []byte(constant.Value)
	switch n.Operator {
	case "contains":
		test = func(text []byte) bool { return bytes.Contains(text, part) }
	case "startsWith":
		test = func(text []byte) bool { return bytes.HasPrefix(text, part) }
	case "endsWith":
		test = func(text []byte) bool { return bytes.HasSuffix(text, part) }
	default:
		pattern, err := regexp.Compile(constant.Value)
		if err != nil {
			return nil // the checker has refused it already
		}
		test = pattern.Match
	}
	return func(r *Record) (bool, error) {
		value := read.scalar(r)
		switch value.kind {
		case document.Null:
			return false, nil
		case document.String:
			return test(value.text), nil
		default:
			return false, c.errorAt(n, n.Operator+" of "+value.kindName()+", not string")
		}
	}
}
