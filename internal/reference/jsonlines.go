package reference

import (
	"bufio"
	"bytes"
	"io"
	"math"
	"slices"

	"streamer/internal/document"
)

// readJSONLines reads one object from each line; lines without any text are passed over.
func (l *loader) readJSONLines(text io.Reader, key string) error {
	lines := bufio.NewScanner(text)
	lines.Buffer(nil, math.MaxInt) // the size of the file bounds it
	l.rows.nodes = []document.Node{}
	var row document.Document
	for line := 1; lines.Scan(); line++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		if err := row.Parse(lines.Bytes()); err != nil {
			return wrong(line, "%s; write one JSON object per line", err)
		}
		node, err := keyNode(&row, key, line)
		if err != nil {
			return err
		}
		l.rows.nodes = append(l.rows.nodes, node)
		l.add(&row, line)
	}
	if err := lines.Err(); err != nil {
		return err //nolint:wrapcheck // of the file; whoever reads it names it
	}
	if l.rows.Len() == 0 {
		return wrong(0, "the file is empty; write one JSON object per line")
	}
	l.rows.nodes = slices.Clip(l.rows.nodes)
	return nil
}

// keyNode returns where the key stands in a row.
func keyNode(row *document.Document, key string, line int) (document.Node, error) {
	if row.Kind(document.Root) != document.Object {
		return document.None, wrong(line, "the value is not an object; write one JSON object per line")
	}
	node := row.Field(document.Root, key)
	switch kind := row.Kind(node); kind {
	case document.Integer, document.String:
		return node, nil
	case document.Missing:
		return node, wrong(line, "the object has no field %q; add it, or mend key", key)
	default:
		return node, wrong(line, "the field %q is %s; a key is a string or an integer", key, kindName(kind))
	}
}

func kindName(kind document.Kind) string {
	switch kind {
	case document.Null:
		return "null"
	case document.False, document.True:
		return "a boolean"
	case document.Float:
		return "a number with a fraction or an exponent"
	case document.Array:
		return "an array"
	default:
		return "an object"
	}
}
