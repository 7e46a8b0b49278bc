package expression

import (
	"reflect"
	"strings"

	"github.com/expr-lang/expr/ast"

	"streamer/internal/document"
)

// compute is an expression as a closure. ok is false where closures have no answer: then the expression has an error, or
// looks into lists or objects, and the program runs again on expr's machine, whose answer counts. So closures need no
// messages, and cannot differ in one.
type compute func(f *frame) (value scalar, ok bool)

// condition is an expression that gives true or false as a closure.
type condition func(f *frame) (result, ok bool)

// closures turns the tree that expr's compiler gets into closures, so that both see the same checks for nil. Any part that
// it refuses makes the whole expression run on the machine.
type closures struct {
	paths  map[ast.Node]*path
	refuse string // why the first part was refused
	ranged int    // the elements of all ranges, which the machine counts against its budget
}

// no refuses a part.
func (c *closures) no(reason string) {
	if c.refuse == "" {
		c.refuse = reason
	}
}

// isCondition tells which nodes condition compiles by itself.
func isCondition(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.BoolNode:
		return true
	case *ast.UnaryNode:
		return n.Operator == "!" || n.Operator == "not"
	case *ast.BinaryNode:
		switch n.Operator {
		case "+", "-", "*", "/", "%", "**", "^", "??", "..":
			return false
		}
		return true
	case *ast.CallNode:
		name := calleeName(n)
		return name == callTruth || strings.HasPrefix(name, callOrdered)
	case *ast.BuiltinNode:
		return n.Name == "hasPrefix" || n.Name == "hasSuffix"
	}
	return false
}

// compute returns nil if n needs expr's machine.
func (c *closures) compute(n ast.Node) compute {
	if read, ok := c.paths[n]; ok {
		return readOf(read)
	}
	if value, ok := literal(n); ok {
		return constant(value)
	}
	if isCondition(n) {
		return asValue(c.condition(n))
	}
	switch n := n.(type) {
	case *ast.UnaryNode:
		if n.Operator == "-" {
			return negated(c.compute(n.Node))
		}
		return c.compute(n.Node) // of a number, which the checker or callNumber has made sure of
	case *ast.BinaryNode:
		if n.Operator == "??" {
			return coalesced(c.compute(n.Left), c.compute(n.Right))
		}
		return c.arithmetic(n)
	case *ast.ConditionalNode:
		return conditional(c.condition(n.Cond), c.compute(n.Exp1), c.compute(n.Exp2))
	case *ast.CallNode:
		return c.call(n)
	case *ast.BuiltinNode:
		return c.builtin(n)
	case *ast.SliceNode:
		return c.slice(n)
	}
	c.no(reasonFor(n))
	return nil
}

// computeAll returns nil if one of the nodes needs expr's machine.
func (c *closures) computeAll(nodes []ast.Node) []compute {
	all := make([]compute, len(nodes))
	for i, n := range nodes {
		if all[i] = c.compute(n); all[i] == nil {
			return nil
		}
	}
	return all
}

func constant(value scalar) compute { return func(*frame) (scalar, bool) { return value, true } }

func reasonFor(n ast.Node) string {
	switch n := n.(type) {
	case *ast.ArrayNode:
		return "it makes a list"
	case *ast.MapNode:
		return "it makes an object"
	case *ast.VariableDeclaratorNode, *ast.IdentifierNode:
		return "it has a let variable"
	case *ast.SequenceNode:
		return "it is several expressions"
	case *ast.BinaryNode:
		return "it uses the operator " + n.Operator
	}
	return "it goes through a list"
}

func calleeName(n *ast.CallNode) string {
	if callee, ok := n.Callee.(*ast.IdentifierNode); ok {
		return callee.Value
	}
	return ""
}

// call compiles the functions that rewriting put there.
func (c *closures) call(n *ast.CallNode) compute {
	name := calleeName(n)
	switch {
	case strings.HasPrefix(name, callPresent):
		return present(c.compute(n.Arguments[0]))
	case name == callNumber:
		return numeric(c.compute(n.Arguments[0]))
	case name == callMember:
		c.no("it picks a part whose place is computed")
	case strings.HasPrefix(name, callPure):
		c.no("it calls " + strings.TrimPrefix(name, callPure))
	default:
		c.no("it calls a method")
	}
	return nil
}

// present refuses nil, so that the machine names the function that it was given to.
func present(inner compute) compute {
	if inner == nil {
		return nil
	}
	return func(f *frame) (scalar, bool) {
		value, ok := inner(f)
		return value, ok && value.kind != document.Null
	}
}

func coalesced(left, right compute) compute {
	if left == nil || right == nil {
		return nil
	}
	return func(f *frame) (scalar, bool) {
		if value, ok := left(f); !ok || value.kind != document.Null {
			return value, ok
		}
		return right(f)
	}
}

func conditional(test condition, yes, no compute) compute {
	if test == nil || yes == nil || no == nil {
		return nil
	}
	return func(f *frame) (scalar, bool) {
		result, ok := test(f)
		switch {
		case !ok:
			return scalar{}, false
		case result:
			return yes(f)
		}
		return no(f)
	}
}

func asValue(test condition) compute {
	if test == nil {
		return nil
	}
	return func(f *frame) (scalar, bool) {
		result, ok := test(f)
		return boolScalar(result), ok
	}
}

// literal reads a constant of the expression.
func literal(n ast.Node) (scalar, bool) {
	switch n := n.(type) {
	case *ast.NilNode:
		return scalar{kind: document.Null}, true
	case *ast.BoolNode:
		return boolScalar(n.Value), true
	case *ast.IntegerNode:
		if n.Type().Kind() == reflect.Float64 {
			return floatScalar(float64(n.Value)), true
		}
		return intScalar(int64(n.Value)), true
	case *ast.FloatNode:
		return floatScalar(n.Value), true
	case *ast.StringNode:
		return textScalar(n.Value), true
	case *ast.UnaryNode:
		if value, ok := literal(n.Node); ok && n.Operator == "-" && value.isNumber() {
			return value.negated(), true
		}
	}
	return scalar{}, false
}
