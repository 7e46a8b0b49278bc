package pipeline

import (
	"streamer/internal/document"
	"streamer/internal/expression"
)

// narrow finds the fields that a branch reads of the values it decodes, so that no others need be noted; nil if something
// may read all of a value. What is behind a map reads what that has built.
func (b *branch) narrow() *document.Names {
	if !b.decode.value.plain {
		return nil
	}
	var names []string
	reads := func(p *expression.Program) bool {
		if p == nil {
			return true
		}
		names = append(names, p.ValueFields()...)
		return !p.ReadsWhole()
	}
	for _, l := range b.links {
		switch l.(type) {
		case *filter, *keyBy, *join, *mapping:
		default:
			return nil
		}
		for _, part := range l.programs() {
			if !reads(part.program) {
				return nil
			}
		}
		if _, built := l.(*mapping); built {
			return document.NamesOf(names...)
		}
	}
	for i := range b.columns {
		if !reads(b.columns[i].program) {
			return nil
		}
	}
	for _, program := range b.out.route.programs() {
		if !reads(program) {
			return nil
		}
	}
	if b.columns == nil && b.out.value != asIs && b.out.value != checked {
		return nil
	}
	return document.NamesOf(names...)
}
