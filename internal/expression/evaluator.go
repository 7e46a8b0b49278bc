package expression

import (
	"github.com/expr-lang/expr/vm"

	"streamer/internal/document"
)

// Evaluator runs programs. It belongs to one goroutine, and keeps memory from run to run. The zero value is ready.
type Evaluator struct {
	machine vm.VM
	frame   frame
}

// start makes the frame ready for a run; texts of the run before are gone.
func (e *Evaluator) start(r *Record) *frame {
	e.frame.record, e.frame.arena = r, e.frame.arena[:0]
	return &e.frame
}

// Test runs a filter: whether the result is true. nil is false. The error is an *EvalError.
func (e *Evaluator) Test(p *Program, r *Record) (bool, error) {
	if p.test != nil {
		if keep, ok := p.test(e.start(r)); ok {
			return keep, nil
		}
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
	dst, done, err := e.appendCompiled(dst, p, r)
	if !done {
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

// appendCompiled appends the result of closures. What a single read finds in a document is copied as it stands, so that
// numbers keep every digit. done is false if the machine has to answer.
func (e *Evaluator) appendCompiled(dst []byte, p *Program, r *Record) (out []byte, done bool, err error) {
	if p.compute == nil {
		return dst, false, nil
	}
	if p.path != nil {
		if d, n, ok := p.path.locate(r); ok {
			return d.Append(dst, n), true, nil
		}
	}
	if value, ok := p.compute(e.start(r)); ok && !value.isComposite() {
		dst, err = value.append(dst)
		return dst, true, err
	}
	return dst, false, nil
}

// Value runs a program and returns its result. The error is an *EvalError, or an *EncodeError when the result is of a type
// that has no form outside of expressions, such as a time zone.
func (e *Evaluator) Value(p *Program, r *Record) (Value, error) {
	f := e.start(r)
	if p.compute != nil {
		if result, ok := p.compute(f); ok {
			return result.value(), nil
		}
	}
	result, err := e.run(p, r)
	if err != nil {
		return Value{}, err
	}
	return e.unboxed(result)
}

// AppendText runs a program and appends its result to dst as plain text, for keys, headers and topics: a string as its
// bytes, a number or bool as its JSON. found is false, and dst unchanged, if the result is nil. The error is an *EvalError,
// or an *EncodeError when the result has no such text, as a list or an object.
func (e *Evaluator) AppendText(dst []byte, p *Program, r *Record) (out []byte, found bool, err error) {
	if p.path != nil {
		if d, n, ok := p.path.locate(r); ok && d.Kind(n) == document.Integer {
			return d.Append(dst, n), true, nil // with every digit, as where it is copied
		}
	}
	result, err := e.Value(p, r)
	if err != nil {
		return dst, false, err
	}
	return result.appendText(dst)
}

// run gives the result on expr's machine, whose answer is the one that counts.
func (e *Evaluator) run(p *Program, r *Record) (any, error) {
	result, err := e.machine.Run(p.code, r)
	if err != nil {
		return nil, p.reasons.evalError(err)
	}
	return result, nil
}

// Reset lets go of the values of the last runs. Without it an idle worker would hold them.
func (e *Evaluator) Reset() { *e = Evaluator{} }
