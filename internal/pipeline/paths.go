package pipeline

import (
	"errors"
	"fmt"
	"strings"

	"streamer/internal/document"
	"streamer/internal/record"
)

// place is a tree of the fields that a set or a remove step names: the paths with common beginnings share them.
type place struct {
	name   string
	prefix []byte  // `"name":`
	below  []place // nil for a place that is written or removed itself
	leaf   bool
	field  field // of set
}

// maxPlaces is how many fields of one object a step may name: there is a bit for each.
const maxPlaces = 64

var errPath = errors.New("is not a path; write names with dots between them, and a name that has a dot in quotes: " +
	`user.name, '"a.b".c'`)

// splitPath reads a path: names with dots between them; a name may stand in double quotes, and must if it has a dot.
func splitPath(text string) ([]string, error) {
	var names []string
	for rest := text; ; {
		var name string
		quoted := strings.HasPrefix(rest, `"`)
		if quoted {
			end := strings.Index(rest[1:], `"`)
			if end < 0 {
				return nil, errPath
			}
			name, rest = rest[1:1+end], rest[2+end:]
		} else {
			end := strings.IndexAny(rest, `."`)
			if end < 0 {
				end = len(rest)
			}
			name, rest = rest[:end], rest[end:]
		}
		if name == "" && !quoted {
			return nil, errPath
		}
		names = append(names, name)
		if rest == "" {
			return names, nil
		}
		if rest[0] != '.' {
			return nil, errPath
		}
		rest = rest[1:]
	}
}

// plant adds a path to the tree and returns its end. It fails when the path, or a part of it, is there already: of
// `user` and `user.name` it would depend on their order what comes out.
func plant(tree *[]place, names []string) (*place, error) {
	for i := range *tree {
		p := &(*tree)[i]
		if p.name != names[0] {
			continue
		}
		if p.leaf || len(names) == 1 {
			return nil, fmt.Errorf("is given twice, as a whole or in part; write %s once", strings.Join(names, "."))
		}
		return plant(&p.below, names[1:])
	}
	if len(*tree) == maxPlaces {
		return nil, fmt.Errorf("is one of more than %d fields of one object; write two steps", maxPlaces)
	}
	prefix, err := document.AppendString(nil, names[0])
	if err != nil {
		return nil, errors.New("is not valid UTF-8; write the name in UTF-8")
	}
	*tree = append(*tree, place{name: names[0], prefix: append(prefix, ':')})
	p := &(*tree)[len(*tree)-1]
	if len(names) > 1 {
		return plant(&p.below, names[1:])
	}
	p.leaf = true
	return p, nil
}

// find returns the place of a name, or -1.
func find(tree []place, d *document.Document, name document.Node) int {
	for i := range tree {
		if d.IsText(name, tree[i].name) {
			return i
		}
	}
	return -1
}

// set writes fields into the object, over those that are there.
type set struct {
	path string
	tree []place
}

func (b *builder) set(path string, fields Mapping) link {
	l := &set{path: path}
	b.object(path)
	if len(fields) == 0 {
		b.fault(path, "", "has no fields; write `set: {name: expression}`")
	}
	for i := range fields {
		f := &fields[i]
		program := b.expression(path+"."+f.Name, f.Expression)
		names, err := splitPath(f.Name)
		if err == nil {
			var p *place
			if p, err = plant(&l.tree, names); err == nil {
				p.field = field{path: path + "." + f.Name, program: program}
				continue
			}
		}
		b.fault(path+"."+f.Name, "", err.Error())
	}
	b.rebuilt()
	return l
}

func (l *set) at() string { return l.path }

func (l *set) run(w *Worker) (flow, *record.Failure) {
	if w.hand.tombstone() {
		return goesOn, nil
	}
	if failure := w.whole(); failure != nil {
		return drops, failure
	}
	dst, failure := w.setIn(w.blank(), document.Root, l.tree, l.path)
	if failure != nil {
		return drops, failure
	}
	w.made(dst)
	return goesOn, nil
}

// setIn writes the object at n with the tree's fields in it: those that are there in their place, the others behind. Of a
// name that is repeated the first is written and the rest are left out.
func (w *Worker) setIn(dst []byte, n document.Node, tree []place, path string) ([]byte, *record.Failure) {
	d := &w.input.Value
	switch d.Kind(n) {
	case document.Object, document.Missing, document.Null:
	default:
		return dst, w.fail(record.ClassEvaluate, path, fmt.Errorf("cannot set a field of %s", kindName(d.Kind(n))))
	}
	start := len(dst)
	dst = append(dst, '{')
	var failure *record.Failure
	var seen uint64 // the tree's fields that are written, one bit for each
	for name, value := range d.Children(n) {
		i := find(tree, d, name)
		if i >= 0 && seen&(1<<i) != 0 {
			continue
		}
		dst = separated(dst, start)
		if i < 0 {
			dst = append(d.Append(dst, name), ':')
			dst = d.Append(dst, value)
			continue
		}
		seen |= 1 << i
		if tree[i].below != nil { // of a repeated name the last value counts, as everywhere
			value = d.Field(n, tree[i].name)
		}
		if dst, failure = w.setOne(dst, value, &tree[i], path); failure != nil {
			return dst, failure
		}
	}
	for i := range tree {
		if seen&(1<<i) != 0 {
			continue
		}
		if dst, failure = w.setOne(separated(dst, start), document.None, &tree[i], path); failure != nil {
			return dst, failure
		}
	}
	return append(dst, '}'), nil
}

func (w *Worker) setOne(dst []byte, old document.Node, p *place, path string) ([]byte, *record.Failure) {
	dst = append(dst, p.prefix...)
	if p.leaf {
		return w.append(dst, p.field.program, p.field.path)
	}
	return w.setIn(dst, old, p.below, path)
}

// separated puts a comma behind what was written into the object that begins at start.
func separated(dst []byte, start int) []byte {
	if len(dst) > start+1 {
		return append(dst, ',')
	}
	return dst
}

// remove leaves fields out of the object.
type remove struct {
	path string
	tree []place
}

func (b *builder) remove(path string, paths []string) link {
	l := &remove{path: path}
	b.object(path)
	if len(paths) == 0 {
		b.fault(path, "", "names no field; write `remove: [user.email]`")
	}
	for _, text := range paths {
		names, err := splitPath(text)
		if err == nil {
			_, err = plant(&l.tree, names)
		}
		if err != nil {
			b.fault(path, text, err.Error())
		}
	}
	b.rebuilt()
	return l
}

func (l *remove) at() string { return l.path }

func (l *remove) run(w *Worker) (flow, *record.Failure) {
	if w.hand.tombstone() {
		return goesOn, nil
	}
	if failure := w.whole(); failure != nil {
		return drops, failure
	}
	if kind := w.input.Value.Kind(document.Root); kind != document.Object {
		return drops, w.fail(record.ClassEvaluate, l.path, fmt.Errorf("cannot remove a field of %s", kindName(kind)))
	}
	w.made(without(w.blank(), &w.input.Value, document.Root, l.tree))
	return goesOn, nil
}

// without writes the value at n without the tree's fields.
func without(dst []byte, d *document.Document, n document.Node, tree []place) []byte {
	if d.Kind(n) != document.Object {
		return d.Append(dst, n)
	}
	start := len(dst)
	dst = append(dst, '{')
	for name, value := range d.Children(n) {
		i := find(tree, d, name)
		if i >= 0 && tree[i].leaf {
			continue
		}
		dst = append(d.Append(separated(dst, start), name), ':')
		if i < 0 {
			dst = d.Append(dst, value)
		} else {
			dst = without(dst, d, value, tree[i].below)
		}
	}
	return append(dst, '}')
}

// kindName names a value's kind as docs/expressions.md does.
func kindName(k document.Kind) string {
	switch k {
	case document.Missing, document.Null:
		return "nil"
	case document.False, document.True:
		return "bool"
	case document.Integer:
		return "int"
	case document.Float:
		return "float"
	case document.String:
		return "string"
	case document.Array:
		return "list"
	case document.Object:
	}
	return "object"
}
