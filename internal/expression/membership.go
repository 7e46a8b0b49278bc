package expression

import (
	"github.com/expr-lang/expr/ast"

	"streamer/internal/document"
)

// maxRanged is how many elements the ranges of an expression may have together; beyond that, the machine's budget decides.
const maxRanged = 500_000

// membership compiles `in`.
func (c *closures) membership(n *ast.BinaryNode) condition {
	needle := c.compute(n.Left)
	if needle == nil {
		return nil
	}
	if p, ok := c.paths[n.Right]; ok {
		return inPath(needle, p)
	}
	switch right := n.Right.(type) {
	case *ast.ArrayNode:
		return c.inList(needle, right)
	case *ast.BinaryNode:
		if right.Operator == ".." {
			return c.inRange(needle, right)
		}
	}
	c.no("it looks into a computed list")
	return nil
}

// inList evaluates all of the list, as the machine does: an error in it is one wherever the needle is found.
func (c *closures) inList(needle compute, list *ast.ArrayNode) condition {
	elements := c.computeAll(list.Nodes)
	if elements == nil {
		return nil
	}
	constants, all := make([]scalar, len(list.Nodes)), true
	for i, n := range list.Nodes {
		var ok bool
		constants[i], ok = literal(n)
		all = all && ok
	}
	return func(f *frame) (result, ok bool) {
		value, ok := needle(f)
		if !ok || !all && value.isComposite() {
			return false, false
		}
		for i := range elements {
			element := constants[i]
			if !all {
				computed, ok := elements[i](f)
				if !ok {
					return false, false
				}
				element = computed
			}
			equal, _ := value.equal(element)
			if result = result || equal; result && all {
				break
			}
		}
		return result, true
	}
}

func (c *closures) inRange(needle compute, n *ast.BinaryNode) condition {
	from, isFrom := literal(n.Left)
	to, isTo := literal(n.Right)
	if isFrom = isFrom && from.kind == document.Integer; isFrom && to.integer() >= from.integer() {
		c.ranged += int(to.integer() - from.integer())
	}
	if !isFrom || !isTo || to.kind != document.Integer || c.ranged < 0 || c.ranged > maxRanged {
		c.no("it looks into a computed or large range")
		return nil
	}
	return func(f *frame) (result, ok bool) {
		value, ok := needle(f)
		switch value.kind { //nolint:exhaustive // no other kind equals a number
		case document.Integer:
			return from.integer() <= value.integer() && value.integer() <= to.integer(), ok
		case document.Float:
			whole := int64(value.float())
			return float64(whole) == value.float() && from.integer() <= whole && whole <= to.integer(), ok
		}
		return false, ok
	}
}

// inPath looks into a list or an object of the record.
func inPath(needle compute, p *path) condition {
	return func(f *frame) (result, ok bool) {
		value, ok := needle(f)
		if !ok || value.isComposite() {
			return false, false
		}
		d, list, ok := p.locate(f.record)
		if !ok {
			return f.inHeaders(p, value)
		}
		switch d.Kind(list) { //nolint:exhaustive // the others are errors
		case document.Missing, document.Null:
			return false, true
		case document.Array:
			for _, n := range d.Children(list) {
				element := f.node(d, n)
				if equal, _ := value.equal(element); equal {
					return true, true
				}
			}
			return false, true
		case document.Object:
			if value.kind == document.String {
				return d.Field(list, value.text) != document.None, true
			}
		}
		return false, false
	}
}

func (f *frame) inHeaders(p *path, name scalar) (result, ok bool) {
	if p.from != fromHeaders || len(p.steps) > 0 {
		value := p.scalar(f)
		return false, value.kind == document.Null
	}
	for i := range f.record.Source.Headers {
		if f.record.Source.Headers[i].Key == name.text {
			return true, name.kind == document.String
		}
	}
	return false, name.kind == document.String
}
