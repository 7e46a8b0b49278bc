package pipeline

import (
	"strings"

	"streamer/internal/document"
	"streamer/internal/expression"
	"streamer/internal/record"
)

// link is one compiled step. It belongs to the chain and is shared by all workers; what it needs from record to record is
// the worker's.
type link interface {
	// run works on the record in the worker's hand.
	run(w *Worker) (flow, *record.Failure)
	// programs are the link's expressions, to be explained.
	programs() []part
	// at is the step as the user finds it in the configuration: steps[0].filter.
	at() string
}

// flow is what becomes of the record in hand behind a link.
type flow uint8

const (
	goesOn  flow = iota
	drops        // it ends here without an output
	spreads      // each element of the link's list goes on in its place
)

// filter keeps the records for which its expression is true.
type filter struct {
	path    string
	program *expression.Program
}

func (l *filter) at() string { return l.path }

func (l *filter) run(w *Worker) (flow, *record.Failure) {
	if failure := w.prepare(l.program); failure != nil {
		return drops, failure
	}
	keep, err := w.eval.Test(l.program, &w.input)
	if err != nil {
		return drops, w.fail(record.ClassEvaluate, l.path, err)
	}
	if !keep {
		return drops, nil
	}
	return goesOn, nil
}

// mapping replaces the value by a new object.
type mapping struct {
	path   string
	fields []field
}

// field is one field of an object that is written.
type field struct {
	path    string // steps[0].map.ad_id
	prefix  []byte // `"ad_id":`
	program *expression.Program
}

func (b *builder) mapping(path string, fields Mapping) link {
	l := &mapping{path: path, fields: b.fields(path, fields)}
	b.rebuilt()
	return l
}

func (b *builder) fields(path string, fields Mapping) []field {
	if len(fields) == 0 {
		kind := path[strings.LastIndex(path, ".")+1:]
		b.fault(path, "", "has no fields; write `"+kind+": {name: expression}`")
	}
	compiled := make([]field, len(fields))
	for i := range fields {
		compiled[i] = b.field(path, &fields[i])
	}
	return compiled
}

func (b *builder) field(path string, f *Field) field {
	out := b.named(path, f.Name)
	out.program = b.expression(out.path, f.Expression)
	return out
}

// named is a field without its expression.
func (b *builder) named(path, name string) field {
	out := field{path: path + "." + name}
	var err error
	if out.prefix, err = document.AppendString(nil, name); err != nil {
		b.fault(out.path, "", "is not valid UTF-8; write the name in UTF-8")
	}
	out.prefix = append(out.prefix, ':')
	return out
}

func (l *mapping) at() string { return l.path }

func (l *mapping) run(w *Worker) (flow, *record.Failure) {
	if w.hand.tombstone() { // made an object, the key would never be deleted
		return goesOn, nil
	}
	dst, failure := w.object(w.blank(), l.fields, (*Worker).append)
	if failure != nil {
		return drops, failure
	}
	w.made(dst)
	return goesOn, nil
}

// object appends an object of the fields' values, each written by value.
func (w *Worker) object(
	dst []byte, fields []field, value func(*Worker, []byte, *expression.Program, string) ([]byte, *record.Failure),
) ([]byte, *record.Failure) {
	dst = append(dst, '{')
	for i := range fields {
		f := &fields[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		var failure *record.Failure
		if dst, failure = value(w, append(dst, f.prefix...), f.program, f.path); failure != nil {
			return dst, failure
		}
	}
	return append(dst, '}'), nil
}

// append appends the program's result as JSON.
func (w *Worker) append(dst []byte, p *expression.Program, path string) ([]byte, *record.Failure) {
	if failure := w.prepare(p); failure != nil {
		return dst, failure
	}
	dst, err := w.eval.Append(dst, p, &w.input)
	if err != nil {
		return dst, w.fail(classOf(err), path, err)
	}
	return dst, nil
}
