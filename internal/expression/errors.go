package expression

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/expr-lang/expr/file"
)

// Error is what is wrong with an expression, found when it is compiled.
type Error struct {
	Line, Column int // from 1
	Problem      string
	Remedy       string // what to write instead; may be empty
}

func (e *Error) Error() string {
	text := position(e.Line, e.Column) + ": " + e.Problem
	if e.Remedy != "" {
		text += "; " + e.Remedy
	}
	return text
}

// EvalError is why an expression has no value for one record. It never holds payload.
type EvalError struct {
	Line, Column int // from 1; 0 if unknown
	Reason       string
}

func (e *EvalError) Error() string {
	if e.Line == 0 {
		return e.Reason
	}
	return position(e.Line, e.Column) + ": " + e.Reason
}

// EncodeError is a value that an expression has but that JSON cannot hold. It never holds payload.
type EncodeError struct{ Err error }

func (e *EncodeError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *EncodeError) Unwrap() error { return e.Err }

func position(line, column int) string {
	if line == 1 {
		return fmt.Sprintf("column %d", column)
	}
	return fmt.Sprintf("line %d, column %d", line, column)
}

// located places a problem at a node of the expression.
func located(text file.Source, at file.Location, problem, remedy string) *Error {
	bound := (&file.Error{Location: at}).Bind(text)
	return &Error{Line: bound.Line, Column: bound.Column + 1, Problem: problem, Remedy: remedy}
}

// compileError turns the errors of expr's parser and checker, which draw the expression with an arrow over several
// lines, into one line in words that need no knowledge of the parser.
func compileError(err error) *Error {
	if detail, ok := errors.AsType[*file.Error](err); ok {
		out := &Error{Line: max(detail.Line, 1), Column: detail.Column + 1, Problem: plainTypes(detail.Message)}
		token, unexpected := strings.CutPrefix(detail.Message, "unexpected token ")
		switch _, text, quoted := strings.Cut(strings.TrimSuffix(token, ")"), "("); {
		case unexpected && token == "EOF":
			out.Problem = "the expression ends too early"
		case unexpected && text == `"="`:
			out.Problem, out.Remedy = `unexpected "="`, "write == to compare"
		case unexpected && quoted:
			out.Problem = "unexpected " + text
		}
		return out
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return &Error{Line: 1, Column: 1, Problem: plainTypes(first)}
}

// plainTypes gives Go's types the names that docs/expressions.md uses.
func plainTypes(message string) string {
	return strings.NewReplacer("map[string]interface {}", "object", "[]interface {}", "list", "interface {}", "value",
		"<nil>", "nil", "float64", "float").Replace(message)
}

// reasons knows the messages of expr's machine that hold types only. All others are dropped: they quote values.
type reasons struct {
	operation, conversion *regexp.Regexp
}

func newReasons() *reasons {
	const kind = `(<nil>|bool|int|float64|string|\[\]string|\[\]int|\[\]interface \{\}|` +
		`map\[string\]interface \{\}|map\[interface \{\}\]\[\]interface \{\}|time\.Time|time\.Duration)`
	return &reasons{
		operation:  regexp.MustCompile(`^invalid operation: (?:` + kind + ` )?\S+ ` + kind + `$`),
		conversion: regexp.MustCompile(`^interface conversion: interface \{\} is ` + kind + `, not ` + kind + `$`),
	}
}

// evalError turns an error of expr's machine into one without payload.
func (r *reasons) evalError(err error) *EvalError {
	detail, ok := errors.AsType[*file.Error](err)
	if !ok {
		return &EvalError{Reason: "expression failed"}
	}
	out := &EvalError{Line: detail.Line, Column: detail.Column + 1}
	if own, ok := errors.AsType[*EvalError](detail.Prev); ok {
		out.Reason = own.Reason
		return out
	}
	message := detail.Message
	switch {
	case r.operation.MatchString(message):
		out.Reason = plainTypes(message)
	case r.conversion.MatchString(message):
		kinds := r.conversion.FindStringSubmatch(message)
		out.Reason = plainTypes("value is " + kinds[1] + ", not " + kinds[2])
	case message == "runtime error: integer divide by zero":
		out.Reason = "division by zero"
	case message == "memory budget exceeded":
		out.Reason = "expression makes too large a value"
	default:
		out.Reason = "operation failed on this value"
	}
	return out
}
