package expression

import (
	"math"
	"unsafe"

	"github.com/expr-lang/expr/ast"

	"streamer/internal/document"
)

// operation computes one operator of two operands.
type operation func(f *frame, a, b scalar) (scalar, bool)

// arithmetic compiles the operators that give numbers, and + of strings.
func (c *closures) arithmetic(n *ast.BinaryNode) compute {
	switch n.Operator {
	case "+":
		return c.operands(n, add)
	case "-":
		return c.operands(n, subtract)
	case "*":
		return c.operands(n, multiply)
	case "/":
		return c.operands(n, divide)
	case "%":
		return c.operands(n, modulo)
	case "**", "^":
		return c.operands(n, power)
	}
	c.no(reasonFor(n))
	return nil
}

func (c *closures) operands(n *ast.BinaryNode, apply operation) compute {
	left, right := c.compute(n.Left), c.compute(n.Right)
	if left == nil || right == nil {
		return nil
	}
	if constant, ok := literal(n.Right); ok {
		return func(f *frame) (scalar, bool) {
			a, ok := left(f)
			if !ok {
				return scalar{}, false
			}
			return apply(f, a, constant)
		}
	}
	return func(f *frame) (scalar, bool) {
		a, ok := left(f)
		if !ok {
			return scalar{}, false
		}
		b, ok := right(f)
		if !ok {
			return scalar{}, false
		}
		return apply(f, a, b)
	}
}

func add(f *frame, a, b scalar) (scalar, bool) {
	switch {
	case a.kind == document.Integer && b.kind == document.Integer:
		return intScalar(a.integer() + b.integer()), true
	case a.isNumber() && b.isNumber():
		return floatScalar(a.asFloat() + b.asFloat()), true
	}
	return f.concat(a.text, b.text), a.kind == document.String && b.kind == document.String
}

func subtract(_ *frame, a, b scalar) (scalar, bool) {
	if a.kind == document.Integer && b.kind == document.Integer {
		return intScalar(a.integer() - b.integer()), true
	}
	return floatScalar(a.asFloat() - b.asFloat()), a.isNumber() && b.isNumber()
}

func multiply(_ *frame, a, b scalar) (scalar, bool) {
	if a.kind == document.Integer && b.kind == document.Integer {
		return intScalar(a.integer() * b.integer()), true
	}
	return floatScalar(a.asFloat() * b.asFloat()), a.isNumber() && b.isNumber()
}

func divide(_ *frame, a, b scalar) (scalar, bool) {
	return floatScalar(a.asFloat() / b.asFloat()), a.isNumber() && b.isNumber()
}

func modulo(_ *frame, a, b scalar) (scalar, bool) {
	if a.kind != document.Integer || b.kind != document.Integer || b.integer() == 0 {
		return scalar{}, false
	}
	return intScalar(a.integer() % b.integer()), true
}

func power(_ *frame, a, b scalar) (scalar, bool) {
	return floatScalar(math.Pow(a.asFloat(), b.asFloat())), a.isNumber() && b.isNumber()
}

func negated(inner compute) compute {
	if inner == nil {
		return nil
	}
	return func(f *frame) (scalar, bool) {
		value, ok := inner(f)
		return value.negated(), ok && value.isNumber()
	}
}

// numeric passes numbers only.
func numeric(inner compute) compute {
	if inner == nil {
		return nil
	}
	return func(f *frame) (scalar, bool) {
		value, ok := inner(f)
		return value, ok && value.isNumber()
	}
}

// concat writes both texts into the arena. A text that stands at its end already, as in a + b + c, is only continued.
func (f *frame) concat(a, b string) scalar {
	start := len(f.arena)
	//nolint:gosec // the address is compared, nothing is read through it
	if n := len(a); n > 0 && n <= start && unsafe.StringData(a[n-1:]) == &f.arena[start-1] {
		start -= n
	} else {
		f.arena = append(f.arena, a...)
	}
	f.arena = append(f.arena, b...)
	return f.tail(start)
}
