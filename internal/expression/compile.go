package expression

import (
	"fmt"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/parser"
)

// CompileFilter compiles an expression that decides whether a record is kept; its result must be able to be true or
// false. Any error is an *Error.
func CompileFilter(text string, scope Scope) (*Program, error) {
	p, nature, err := compile(text, &scope)
	switch {
	case err != nil:
		return nil, err
	case nature == "nil":
		return nil, &Error{
			Line: 1, Column: 1, Problem: "filter is always nil and would keep no record",
			Remedy: "compare something, such as event_type == \"view\"",
		}
	case nature != "" && nature != "bool":
		return nil, &Error{
			Line: 1, Column: 1, Problem: fmt.Sprintf("filter gives %s, not true or false", nature),
			Remedy: "compare it with something",
		}
	}
	return p, nil
}

// Compile compiles an expression that may use the names of the scope. Any error is an *Error.
func Compile(text string, scope Scope) (*Program, error) {
	p, _, err := compile(text, &scope)
	return p, err
}

// compile also returns the name of the result's type, empty if only the record decides.
func compile(text string, scope *Scope) (p *Program, nature string, err error) {
	if strings.TrimSpace(text) == "" {
		return nil, "", &Error{Line: 1, Column: 1, Problem: "expression is empty", Remedy: "write a field or a comparison"}
	}
	config := conf.CreateNew()
	config.Strict = false
	config.Disabled["now"] = true
	delete(config.Builtins, "now")
	defineRules(config)

	tree, err := parser.ParseWithConfig(text, config)
	if err != nil {
		return nil, "", compileError(err)
	}
	names := &rewriter{config: config, text: tree.Source, scope: scope, paths: map[ast.Node]*path{}, done: map[ast.Node]ast.Node{}}
	tree.Node = names.node(tree.Node)
	if names.err != nil {
		return nil, "", names.err
	}
	if _, err = checker.Check(tree, config); err != nil {
		return nil, "", compileError(err)
	}
	nature = natureOf(tree.Node, config)
	p = &Program{text: text, path: names.paths[tree.Node], reasons: newReasons()}
	p.note(names.paths, scope)
	ast.Walk(&tree.Node, &nilRules{config: config})
	p.close(tree.Node, names.paths)
	// expr's optimizer is left out: it makes `x in ["a", ""]` a look-up that answers true for nil and panics for 5.
	if p.code, err = compiler.Compile(tree, config); err != nil {
		return nil, "", compileError(err)
	}
	return p, nature, nil
}

func natureOf(n ast.Node, config *conf.Config) string {
	nature := n.Nature()
	switch {
	case nature.Nil:
		return "nil"
	case nature.IsUnknown(&config.NtCache):
		return ""
	}
	return plainTypes(nature.String())
}
