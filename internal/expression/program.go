package expression

import (
	"github.com/expr-lang/expr/vm"

	"streamer/internal/document"
)

// Program is a compiled expression. It is immutable; any goroutine may use it, each with an Evaluator of its own.
type Program struct {
	text       string
	readsValue bool
	path       *path                       // set if the whole expression is one read
	test       func(*Record) (bool, error) // set if the condition runs as closures
	code       *vm.Program
	reasons    *reasons
}

// String returns the expression as the user wrote it.
func (p *Program) String() string { return p.text }

// ReadsValue reports whether the program looks into the value. If not, the value need not be decoded for it.
func (p *Program) ReadsValue() bool { return p.readsValue }

// Evaluator runs programs. It belongs to one goroutine, and keeps memory from run to run.
type Evaluator struct {
	machine vm.VM
}

// Test runs a filter: whether the result is true. nil is false. The error is an *EvalError.
func (e *Evaluator) Test(p *Program, r *Record) (bool, error) {
	if p.test != nil {
		return p.test(r)
	}
	result, err := e.run(p, r)
	if err != nil {
		return false, err
	}
	keep, err := truth(result)
	if err != nil {
		return false, failf("filter gives %s, not true or false", kindOf(result))
	}
	return keep, nil
}

// Append runs a program and appends its result to dst as JSON. The error is an *EvalError, or an *EncodeError when
// there is a result that JSON cannot hold; dst then may have grown.
func (e *Evaluator) Append(dst []byte, p *Program, r *Record) ([]byte, error) {
	var err error
	if p.path != nil {
		dst, err = p.path.append(dst, r)
	} else {
		var result any
		if result, err = e.run(p, r); err != nil {
			return dst, err
		}
		dst, err = document.AppendGo(dst, result)
	}
	if err != nil {
		return dst, &EncodeError{Err: err}
	}
	return dst, nil
}

// run gives the result on expr's machine.
func (e *Evaluator) run(p *Program, r *Record) (any, error) {
	result, err := e.machine.Run(p.code, r)
	if err != nil {
		return nil, p.reasons.evalError(err)
	}
	return result, nil
}

// Reset lets go of the values of the last runs. Without it an idle worker would hold them.
func (e *Evaluator) Reset() { e.machine = vm.VM{} }
