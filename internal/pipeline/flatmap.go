package pipeline

import (
	"fmt"

	"streamer/internal/document"
	"streamer/internal/expression"
	"streamer/internal/record"
)

// flatMap makes one record for each element of a list: none, one or many.
type flatMap struct {
	path    string
	program *expression.Program
	depth   int // flat_maps before it: each needs a list of its own while the steps behind it work on the elements
}

func (b *builder) flatMap(path, text string) link {
	l := &flatMap{path: path, program: b.expression(path, text), depth: b.now.lists}
	b.now.lists++
	b.rebuilt()
	return l
}

func (l *flatMap) at() string { return l.path }

func (l *flatMap) run(w *Worker) (flow, *record.Failure) {
	if w.hand.tombstone() {
		return goesOn, nil
	}
	list := &w.lists[l.depth]
	text, failure := w.append(list.text[:0], l.program, l.path)
	if failure != nil {
		return drops, failure
	}
	list.text = text
	if err := list.value.Parse(text); err != nil {
		return drops, w.fail(record.ClassEvaluate, l.path, err)
	}
	switch kind := list.value.Kind(document.Root); kind {
	case document.Array:
		return spreads, nil
	case document.Null:
		return drops, nil
	default:
		return drops, w.fail(record.ClassEvaluate, l.path, fmt.Errorf("flat_map gives %s, not a list", kindName(kind)))
	}
}

// list is what a flat_map goes through.
type list struct {
	text  []byte
	value document.Document
}

// spread sends each element of the list through the links from next on.
func (w *Worker) spread(l *flatMap, next int) *record.Failure {
	hand, list := w.hand, &w.lists[l.depth]
	for _, element := range list.value.Children(document.Root) {
		w.hand = hand
		w.hand.take(list.value.Source(element))
		if failure := w.walk(next); failure != nil {
			return failure
		}
	}
	return nil
}
