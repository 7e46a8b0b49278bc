package expression

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/checker/nature"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/types"
)

// nilRules puts checks around what may be nil. It runs after the type check, so that what is known not to be nil costs
// nothing; as an ast.Visitor it sees the children before their parents.
type nilRules struct {
	config *conf.Config
}

// Visit implements ast.Visitor.
func (r *nilRules) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.BinaryNode:
		r.binary(node, n)
	case *ast.UnaryNode:
		switch n.Operator {
		case "!", "not":
			r.condition(&n.Node)
		case "+":
			if r.mayBeNil(n.Node) {
				replace(node, call(n, callNumber, n.Node), *n.Nature())
			}
		}
	case *ast.ConditionalNode:
		r.condition(&n.Cond)
	case *ast.BuiltinNode:
		r.builtin(n)
	case *ast.CallNode:
		r.method(n)
	}
}

func (r *nilRules) binary(node *ast.Node, n *ast.BinaryNode) {
	switch n.Operator {
	case "<", "<=", ">", ">=":
		if r.mayBeNil(n.Left) || r.mayBeNil(n.Right) {
			replace(node, call(n, callOrdered+n.Operator, n.Left, n.Right), types.Bool.Nature())
		}
	case "&&", "and", "||", "or":
		r.condition(&n.Left)
		r.condition(&n.Right)
	case "==", "!=":
		// For two integers expr's compiler trusts the types, and then `(ok ? 1 : name) == 1` fails where name is a string.
		n.Left.SetNature(nature.Nature{})
	}
}

// condition makes nil false where a bool is needed; without it `a && b` would fail where `a` alone does not.
func (r *nilRules) condition(node *ast.Node) {
	if r.mayBeNil(*node) {
		replace(node, call(*node, callTruth, *node), types.Bool.Nature())
	}
}

func (r *nilRules) builtin(n *ast.BuiltinNode) {
	if n.Name == "type" || n.Name == "get" {
		return // both are there to look at what may be nil
	}
	if function := builtin.Builtins[builtin.Index[n.Name]]; !function.Predicate {
		for i := range n.Arguments {
			r.present(n.Name, &n.Arguments[i])
		}
		return
	}
	r.present(n.Name, &n.Arguments[0])
	conditions := []string{
		"all", "none", "any", "one", "filter", "find", "findIndex", "findLast", "findLastIndex", "count",
	}
	if slices.Contains(conditions, n.Name) && len(n.Arguments) > 1 {
		if predicate, ok := n.Arguments[1].(*ast.PredicateNode); ok {
			r.condition(&predicate.Node)
		}
	}
}

// method keeps nil out of the methods of times, which would take it for their zero value.
func (r *nilRules) method(n *ast.CallNode) {
	callee, ok := n.Callee.(*ast.MemberNode)
	if !ok {
		return
	}
	if name, ok := callee.Property.(*ast.StringNode); ok {
		for i := range n.Arguments {
			r.present(name.Value, &n.Arguments[i])
		}
	}
}

func (r *nilRules) present(function string, argument *ast.Node) {
	if r.mayBeNil(*argument) {
		replace(argument, call(*argument, definePresent(r.config, function), *argument), *(*argument).Nature())
	}
}

// mayBeNil does not trust the checker alone, for which `ok ? 1 : name` and `find([1], # > 2)` are integers.
func (r *nilRules) mayBeNil(n ast.Node) bool {
	result := n.Nature()
	return result.Nil || result.IsUnknown(&r.config.NtCache) || givesNil(n)
}

// givesNil reports whether n can be nil although the checker knows a type for it.
func givesNil(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.NilNode, *ast.IdentifierNode, *ast.PointerNode:
		return true // a variable or an element may hold whatever the rest of this list gives
	case *ast.BinaryNode:
		return n.Operator == "??"
	case *ast.ConditionalNode:
		return givesNil(n.Exp1) || givesNil(n.Exp2)
	case *ast.SequenceNode:
		return givesNil(n.Nodes[len(n.Nodes)-1])
	case *ast.VariableDeclaratorNode:
		return givesNil(n.Expr)
	case *ast.BuiltinNode:
		return slices.Contains([]string{
			"find", "findIndex", "findLast", "findLastIndex", "first", "last", "get", "max", "min", "reduce",
		}, n.Name)
	case *ast.CallNode:
		callee, ok := n.Callee.(*ast.IdentifierNode)
		return ok && (callee.Value == callMember || callee.Value == callPure+"fromJSON" || strings.HasPrefix(callee.Value, callRead))
	}
	return false
}

// replace gives the call the type that the checker would find: parents, and expr's compiler, look at it.
func replace(node *ast.Node, by *ast.CallNode, result nature.Nature) {
	by.SetNature(result)
	*node = by
}
