package pipeline

import (
	"fmt"
	"math"
	"strconv"

	"streamer/internal/document"
	"streamer/internal/expression"
	"streamer/internal/record"
)

// keyBy gives the record a new key.
type keyBy struct {
	path    string
	program *expression.Program // of a single key
	fields  []field             // of a composite key
}

func (b *builder) keyBy(path string, s *Step) link {
	l := &keyBy{path: path}
	if s.Fields != nil {
		l.fields = b.fields(path, s.Fields)
	} else {
		l.program = b.expression(path, s.Expression)
	}
	b.now.out.keyed, b.now.out.composite = true, l.fields != nil
	return l
}

func (l *keyBy) at() string { return l.path }

func (l *keyBy) run(w *Worker) (flow, *record.Failure) {
	var failure *record.Failure
	if l.program != nil {
		w.key, failure = w.canonical(w.key[:0], l.program, l.path)
	} else {
		w.key, failure = w.object(w.key[:0], l.fields, (*Worker).canonical)
	}
	w.hand.keyed = true
	return goesOn, failure
}

// canonical appends the program's result as JSON of which there is one for each value: without it "a" and "\u0061", or 1
// and 1.0, would be two groups.
func (w *Worker) canonical(dst []byte, p *expression.Program, path string) ([]byte, *record.Failure) {
	if failure := w.prepare(p); failure != nil {
		return dst, failure
	}
	value, err := w.eval.Value(p, &w.input)
	if err == nil {
		dst, err = appendCanonical(dst, &value)
	}
	if err != nil {
		return dst, w.fail(classOf(err), path, err)
	}
	return dst, nil
}

func appendCanonical(dst []byte, v *expression.Value) ([]byte, error) {
	switch v.Kind {
	case document.Null, document.Missing:
		return append(dst, "null"...), nil
	case document.False, document.True:
		return strconv.AppendBool(dst, v.Kind == document.True), nil
	case document.Integer:
		return strconv.AppendInt(dst, v.Int, 10), nil
	case document.Float:
		if whole := int64(v.Float); float64(whole) == v.Float && math.Abs(v.Float) < 1<<62 {
			return strconv.AppendInt(dst, whole, 10), nil
		}
		return appendGo(dst, v.Float)
	case document.String:
		return appendText(dst, v.Text)
	case document.Array, document.Object:
	}
	return dst, fmt.Errorf("a key is %s; write one of its fields, or key_by: {name: expression} for several", kindName(v.Kind))
}

// appendGo is document.AppendGo with the class that its error has.
func appendGo(dst []byte, value any) ([]byte, error) {
	dst, err := document.AppendGo(dst, value)
	if err != nil {
		return dst, &expression.EncodeError{Err: err}
	}
	return dst, nil
}

func appendText(dst, text []byte) ([]byte, error) {
	dst, err := document.AppendText(dst, text)
	if err != nil {
		return dst, &expression.EncodeError{Err: err}
	}
	return dst, nil
}
