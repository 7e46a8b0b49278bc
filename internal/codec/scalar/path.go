package scalar

import (
	"errors"
	"slices"
	"strings"
)

// pathError is what went wrong in one field.
type pathError struct {
	path []string // from the inside out
	err  error
}

// At says in which field of the schema err arose; called by each level on the way out, it makes a path.
func At(err error, field string) error {
	if inner, ok := errors.AsType[*pathError](err); ok {
		inner.path = append(inner.path, field)
		return inner
	}
	return &pathError{path: []string{field}, err: err}
}

// Item stands in a path for an element of an array or a value of a map, whose place or name would be payload.
const Item = "[]"

func (e *pathError) Error() string {
	var text strings.Builder
	text.WriteString("field ")
	for i, field := range slices.Backward(e.path) {
		if i < len(e.path)-1 && field != Item {
			text.WriteByte('.')
		}
		text.WriteString(field)
	}
	text.WriteString(": ")
	text.WriteString(e.err.Error())
	return text.String()
}

func (e *pathError) Unwrap() error { return e.err }
