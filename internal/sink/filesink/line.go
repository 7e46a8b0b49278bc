package filesink

import (
	"bytes"
	"encoding/json"
	"errors"
)

var errNotOneLine = errors.New("value has a newline in it and is not JSON, so it cannot be one line of a file; " +
	"encode it as JSON, or skip the record")

// Line is the value as it stands in a file, without the newline, or why it cannot be a line.
func Line(value []byte) ([]byte, error) {
	line, err := appendLine(nil, value)
	return bytes.TrimSuffix(line, []byte("\n")), err
}

// appendLine appends the value as one line. A tombstone is null. JSON with newlines between its tokens is written
// without them: readers split at newlines before they parse. Anything else is written as it is, unchecked.
func appendLine(chunk, value []byte) ([]byte, error) {
	if value == nil {
		return append(chunk, "null\n"...), nil
	}
	if bytes.IndexByte(value, '\n') < 0 {
		return append(append(chunk, value...), '\n'), nil
	}
	compact := bytes.NewBuffer(chunk)
	if err := json.Compact(compact, value); err != nil {
		return chunk, errNotOneLine
	}
	compact.WriteByte('\n')
	return compact.Bytes(), nil
}
