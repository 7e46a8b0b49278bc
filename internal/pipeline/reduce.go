package pipeline

import (
	"fmt"
	"strings"

	"streamer/internal/aggregate"
	"streamer/internal/document"
	"streamer/internal/expression"
	"streamer/internal/record"
)

// column is one aggregate of reduce_by_key.
type column struct {
	path     string
	prefix   []byte // `"views":`
	function aggregate.Function
	program  *expression.Program // the argument; nil for count()
}

// result is the value of an aggregate's argument for one record.
type result struct {
	value expression.Value
	text  extent // of a string, in Worker.text: the evaluator keeps only its last one
}

// reduce compiles the last step of a branch.
func (b *builder) reduce(path string, fields Mapping) {
	b.now.columns = make([]column, 0, len(fields))
	if len(fields) == 0 {
		b.fault(path, "", "has no fields; write `reduce_by_key: {total: sum(price), records: count()}`")
	}
	for i := range fields {
		b.now.columns = append(b.now.columns, b.column(path, &fields[i]))
	}
}

func (b *builder) column(path string, f *Field) column {
	named := b.named(path, f.Name)
	out := column{path: named.path, prefix: named.prefix}
	text := strings.TrimSpace(f.Expression)
	name, rest, called := strings.Cut(text, "(")
	function, known := aggregate.ParseFunction(strings.TrimSpace(name))
	if !called || !known || !strings.HasSuffix(rest, ")") {
		b.fault(out.path, text, "is not an aggregate; write one of count(), sum(x), min(x), max(x), avg(x) with an expression for x")
		return out
	}
	out.function = function
	argument := strings.TrimSuffix(rest, ")")
	switch empty := strings.TrimSpace(argument) == ""; {
	case empty && function.TakesArgument():
		b.fault(out.path, text, fmt.Sprintf("has no argument; write %s(price)", function))
	case !empty && !function.TakesArgument():
		b.fault(out.path, text, "takes no argument; write count()")
	case !empty:
		// Spaces in place of what stands before keep the columns of errors right.
		out.program = b.expression(out.path, strings.Repeat(" ", len(text)-len(rest))+argument)
	}
	return out
}

// reduce adds the record in hand to its group. All arguments are evaluated first: a record that fails leaves nothing
// behind.
func (w *Worker) reduce() *record.Failure {
	w.text = w.text[:0]
	for i := range w.branch.columns {
		c := &w.branch.columns[i]
		w.step = c.path
		if c.program == nil {
			continue
		}
		if failure := w.prepare(c.program); failure != nil {
			return failure
		}
		value, err := w.eval.Value(c.program, &w.input)
		if err == nil {
			err = c.accepts(value.Kind)
		}
		if err != nil {
			return w.fail(record.ClassEvaluate, c.path, err)
		}
		r := &w.results[i]
		if r.value = value; value.Kind == document.String {
			start := len(w.text)
			w.text = append(w.text, value.Text...)
			r.text = extent{start, len(w.text)}
		}
	}
	if !w.hand.keyed {
		if failure := w.ownKey(); failure != nil {
			return failure
		}
	}
	w.add(w.group.Group(w.key))
	return nil
}

// accepts reports whether the function takes values of the kind; nil is taken by all, and left out.
func (c *column) accepts(kind document.Kind) error {
	switch kind { //nolint:exhaustive // no function takes the others
	case document.Null, document.Integer, document.Float:
		return nil
	case document.String:
		if c.function == aggregate.Min || c.function == aggregate.Max {
			return nil
		}
	}
	return fmt.Errorf("%s of %s", c.function, kindName(kind))
}

// ownKey makes the record's own key, as text, the group's.
func (w *Worker) ownKey() *record.Failure {
	w.key = w.key[:0]
	if w.input.Source.Key == nil {
		w.key = append(w.key, "null"...)
		return nil
	}
	key, err := appendText(w.key, w.input.Source.Key)
	if err != nil {
		return w.fail(record.ClassEvaluate, w.step, err)
	}
	w.key = key
	return nil
}

func (w *Worker) add(group int) {
	for i := range w.branch.columns {
		r := &w.results[i]
		switch c := &w.branch.columns[i]; {
		case c.program == nil:
			w.group.Count(group, i)
		case r.value.Kind == document.Integer:
			w.group.Int(group, i, r.value.Int)
		case r.value.Kind == document.Float:
			w.group.Float(group, i, r.value.Float)
		case r.value.Kind == document.String:
			w.group.Text(group, i, w.text[r.text.start:r.text.end])
		}
	}
}

// partial is a block's aggregate on its way to the batch.
type partial struct{ table *aggregate.Table }

// Merge implements [record.Partial].
func (p *partial) Merge(other record.Partial) {
	p.table.Merge(other.(*partial).table) //nolint:forcetypeassert,errcheck // there is one kind
}

// Len implements [record.Partial].
func (p *partial) Len() int { return p.table.Len() }

// Bytes implements [record.Partial].
func (p *partial) Bytes() int64 { return p.table.Bytes() }
