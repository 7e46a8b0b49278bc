package expression

import (
	"regexp"
	"strings"

	"github.com/expr-lang/expr/ast"

	"streamer/internal/document"
)

// condition returns nil if n needs expr's machine. A result that is neither true nor false has no answer, as on the
// machine.
func (c *closures) condition(n ast.Node) condition {
	if !isCondition(n) {
		return strict(c.compute(n))
	}
	switch n := n.(type) {
	case *ast.BoolNode:
		return func(*frame) (bool, bool) { return n.Value, true }
	case *ast.UnaryNode:
		return not(c.condition(n.Node))
	case *ast.BinaryNode:
		return c.binary(n)
	case *ast.CallNode:
		if name := calleeName(n); name != callTruth {
			operator := comparisonOf(strings.TrimPrefix(name, callOrdered))
			return c.order(operator, n.Arguments[0], n.Arguments[1], true)
		}
		if isCondition(n.Arguments[0]) {
			return c.condition(n.Arguments[0])
		}
		return truthy(c.compute(n.Arguments[0]))
	case *ast.BuiltinNode:
		test := strings.HasPrefix
		if n.Name == "hasSuffix" {
			test = strings.HasSuffix
		}
		return textTest(c.compute(n.Arguments[0]), c.compute(n.Arguments[1]), test)
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
		return not(c.equality(n))
	case "<", "<=", ">", ">=":
		return c.order(comparisonOf(n.Operator), n.Left, n.Right, false)
	case "in":
		return c.membership(n)
	case "contains":
		return textTest(c.compute(n.Left), c.compute(n.Right), strings.Contains)
	case "startsWith":
		return textTest(c.compute(n.Left), c.compute(n.Right), strings.HasPrefix)
	case "endsWith":
		return textTest(c.compute(n.Left), c.compute(n.Right), strings.HasSuffix)
	case "matches":
		return c.match(n)
	}
	c.no(reasonFor(n))
	return nil
}

// strict passes only true and false.
func strict(inner compute) condition {
	if inner == nil {
		return nil
	}
	return func(f *frame) (result, ok bool) {
		value, ok := inner(f)
		return value.kind == document.True, ok && (value.kind == document.True || value.kind == document.False)
	}
}

// truthy passes nil too, as false.
func truthy(inner compute) condition {
	if inner == nil {
		return nil
	}
	return func(f *frame) (result, ok bool) {
		value, ok := inner(f)
		if !ok {
			return false, false
		}
		return value.truth()
	}
}

func not(inner condition) condition {
	if inner == nil {
		return nil
	}
	return func(f *frame) (result, ok bool) {
		result, ok = inner(f)
		return !result, ok
	}
}

// joined evaluates right only when left is not decisive already: true decides an or, false an and.
func joined(left, right condition, decisive bool) condition {
	if left == nil || right == nil {
		return nil
	}
	return func(f *frame) (result, ok bool) {
		if result, ok = left(f); !ok || result == decisive {
			return result, ok
		}
		return right(f)
	}
}

// equality knows a constant side: nothing else of a filter is evaluated as often.
func (c *closures) equality(n *ast.BinaryNode) condition {
	left, right := n.Left, n.Right
	if _, ok := literal(left); ok {
		left, right = right, left
	}
	a := c.compute(left)
	if constant, ok := literal(right); ok && a != nil {
		return func(f *frame) (result, ok bool) {
			value, ok := a(f)
			if !ok {
				return false, false
			}
			return value.equal(constant)
		}
	}
	b := c.compute(right)
	if a == nil || b == nil {
		return nil
	}
	return func(f *frame) (result, ok bool) {
		value, ok := a(f)
		if !ok {
			return false, false
		}
		other, ok := b(f)
		if !ok {
			return false, false
		}
		return value.equal(other)
	}
}

// order compares two values; with nil it is false where the rules of nil say so, else it has no answer.
func (c *closures) order(operator comparison, left, right ast.Node, nilIsFalse bool) condition {
	a := c.compute(left)
	if constant, ok := literal(right); ok && a != nil && constant.kind != document.Null {
		return func(f *frame) (result, ok bool) {
			value, ok := a(f)
			if !ok || value.kind == document.Null {
				return false, ok && nilIsFalse
			}
			return value.compare(operator, constant)
		}
	}
	b := c.compute(right)
	if a == nil || b == nil {
		return nil
	}
	return func(f *frame) (result, ok bool) {
		value, ok := a(f)
		if !ok {
			return false, false
		}
		other, ok := b(f)
		if !ok || value.kind == document.Null || other.kind == document.Null {
			return false, ok && nilIsFalse
		}
		return value.compare(operator, other)
	}
}

// textTest is false for nil and has an answer for strings only.
func textTest(left, right compute, test func(text, part string) bool) condition {
	if left == nil || right == nil {
		return nil
	}
	return func(f *frame) (result, ok bool) {
		text, ok := left(f)
		if !ok {
			return false, false
		}
		part, ok := right(f)
		switch {
		case !ok:
			return false, false
		case text.kind == document.Null || part.kind == document.Null:
			return false, true
		case text.kind != document.String || part.kind != document.String:
			return false, false
		}
		return test(text.text, part.text), true
	}
}

func (c *closures) match(n *ast.BinaryNode) condition {
	constant, ok := n.Right.(*ast.StringNode)
	if !ok {
		c.no("it matches a pattern that is not a constant")
		return nil
	}
	pattern, err := regexp.Compile(constant.Value)
	text := c.compute(n.Left)
	if err != nil || text == nil { // the checker has refused a bad pattern already
		return nil
	}
	return func(f *frame) (result, ok bool) {
		value, ok := text(f)
		switch {
		case !ok:
			return false, false
		case value.kind == document.Null:
			return false, true
		}
		return value.kind == document.String && pattern.MatchString(value.text), value.kind == document.String
	}
}
