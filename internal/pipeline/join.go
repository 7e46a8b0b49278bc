package pipeline

import (
	"fmt"
	"log/slog"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"streamer/internal/document"
	"streamer/internal/expression"
	"streamer/internal/record"
	"streamer/internal/reference"
	"streamer/internal/setting"
)

// join looks up a row of a reference table, which the steps behind it read as a field.
type join struct {
	path    string
	program *expression.Program // gives the key
	table   int                 // the table's place in branch.tables
	row     int                 // the row's place in expression.Record.Joined
	rows    []rowField          // the rows that are not part of the value yet, this one included
	inner   bool
}

// rowField is the field that a row becomes.
type rowField struct {
	name   string
	prefix []byte // `"name":`
}

func (b *builder) join(path string, j Join) link {
	l := &join{path: path, inner: j.Type == joinInner}
	b.object(path)
	for _, required := range []struct{ key, value, example string }{
		{"file", j.File, "ads.csv"},
		{"key", j.Key, "ad_id, the table's column that is looked up"},
		{"on", j.On, "ad_id, the expression that gives the key"},
		{"as", j.As, "ad, the field that the row becomes"},
	} {
		if required.value == "" {
			b.fault(path+"."+required.key, "", "is required; write for example "+required.example)
		}
	}
	if j.Type != joinLeft && j.Type != joinInner {
		remedy := "is not a type of join; write left (null where there is no row) or inner (drop the record)"
		if near, ok := setting.Nearest(j.Type, []string{joinLeft, joinInner}); ok {
			remedy = "is not a type of join; did you mean " + near + "?"
		}
		b.fault(path+".type", j.Type, remedy)
	}
	if j.On != "" {
		l.program = b.expression(path+".on", j.On)
	}
	if j.File != "" && j.Key != "" {
		l.table = len(b.now.tables)
		b.now.tables = append(b.now.tables, b.table(path, j.table()))
	}
	if slices.Contains(b.scope.Joined, j.As) {
		b.fault(path+".as", j.As, "is the name of another join's row; write another name")
	}
	prefix, err := document.AppendString(nil, j.As)
	if err != nil {
		b.fault(path+".as", "", "is not valid UTF-8; write the name in UTF-8")
	}
	l.row = len(b.scope.Joined)
	b.scope.Joined = append(slices.Clone(b.scope.Joined), j.As)
	b.rows = append(slices.Clone(b.rows), rowField{name: j.As, prefix: append(prefix, ':')})
	l.rows = b.rows
	b.now.mostRows = max(b.now.mostRows, len(b.rows))
	b.now.out.made = true
	return l
}

func openTable(c reference.Config) (*reference.Table, error) {
	return reference.Open(c, reference.Deps{
		Logger: slog.New(slog.DiscardHandler), Metrics: reference.NewMetrics(prometheus.NewRegistry()),
	})
}

func (l *join) at() string { return l.path }

func (l *join) run(w *Worker) (flow, *record.Failure) {
	if w.hand.tombstone() {
		return goesOn, nil
	}
	if failure := w.prepare(l.program); failure != nil {
		return drops, failure
	}
	key, found, err := w.eval.AppendText(w.text[:0], l.program, &w.input)
	if err != nil {
		return drops, w.fail(record.ClassEvaluate, l.path+".on", err)
	}
	w.text = key
	var row *document.Document
	if found {
		row = w.tables[l.table].Find(key)
	}
	if row == nil && l.inner {
		return drops, nil
	}
	w.input.Joined[l.row] = row
	w.hand.rows = l.rows
	return goesOn, nil
}

// merge makes the joined rows fields of the value itself: a row takes the place of a field of its name.
func (w *Worker) merge(dst []byte) ([]byte, *record.Failure) {
	if failure := w.decode(); failure != nil {
		return dst, failure
	}
	d := &w.input.Value
	if kind := d.Kind(document.Root); kind != document.Object {
		return dst, w.fail(record.ClassEvaluate, "join", fmt.Errorf("cannot add a row to %s", kindName(kind)))
	}
	start := len(dst)
	dst = append(dst, '{')
	for name, value := range d.Children(document.Root) {
		if !w.hand.hides(d, name) {
			dst = append(d.Append(separated(dst, start), name), ':')
			dst = d.Append(dst, value)
		}
	}
	for i := range w.hand.rows {
		dst = append(separated(dst, start), w.hand.rows[i].prefix...)
		if row := w.input.Joined[i]; row != nil {
			dst = row.Append(dst, document.Root)
		} else {
			dst = append(dst, "null"...)
		}
	}
	return append(dst, '}'), nil
}

// hides reports whether a row takes the place of the field of that name.
func (h *hand) hides(d *document.Document, name document.Node) bool {
	for i := range h.rows {
		if d.IsText(name, h.rows[i].name) {
			return true
		}
	}
	return false
}
