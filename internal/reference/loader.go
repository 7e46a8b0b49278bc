package reference

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"streamer/internal/document"
)

// contentError says what is wrong with a file that could be read. The same bytes would fail again.
type contentError struct {
	line    int // 0 if it is about the file as a whole
	problem string
}

func (e *contentError) Error() string {
	if e.line == 0 {
		return e.problem
	}
	return fmt.Sprintf("line %d: %s", e.line, e.problem)
}

func wrong(line int, format string, args ...any) error {
	return &contentError{line: line, problem: fmt.Sprintf(format, args...)}
}

// loader gathers the rows of one file.
type loader struct {
	rows  *Rows
	lines []uint32 // where each row begins
}

// parse reads a whole file.
func parse(source io.Reader, format, key string) (*Rows, error) {
	l := loader{rows: &Rows{}}
	text := withoutMark(source)
	read := l.readJSONLines
	if format == formatCSV {
		read = l.readCSV
	}
	if err := read(text, key); err != nil {
		return nil, err
	}
	if earlier, later, unique := l.rows.index(); !unique {
		return nil, wrong(int(l.lines[later]), "the row has the same key as the one in line %d; keep one of the two",
			l.lines[earlier])
	}
	return l.rows, nil
}

// withoutMark passes over the byte order mark that some programs put in front of UTF-8.
func withoutMark(source io.Reader) *bufio.Reader {
	text := bufio.NewReaderSize(source, 64<<10)
	mark := []byte("\ufeff")
	if start, err := text.Peek(len(mark)); err == nil && bytes.Equal(start, mark) {
		_, _ = text.Discard(len(mark)) // they are in the buffer
	}
	return text
}

func (l *loader) add(row *document.Document, line int) {
	l.rows.pack.Add(row)
	l.lines = append(l.lines, uint32(line))
}
