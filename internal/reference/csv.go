package reference

import (
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"unicode/utf8"

	"streamer/internal/document"
	"streamer/internal/setting"
)

const notUTF8 = "the text is not valid UTF-8; save the file as UTF-8"

// readCSV reads a header and rows (RFC 4180). All cells are strings; lines without any text are passed over.
func (l *loader) readCSV(text io.Reader, key string) error {
	records := csv.NewReader(text)
	records.ReuseRecord = true
	records.FieldsPerRecord = -1 // counted here, for an error that says what to do
	header, err := records.Read()
	if errors.Is(err, io.EOF) {
		return wrong(0, "the file is empty; write a header line with the names of the columns")
	} else if err != nil {
		return csvError(err)
	}
	header = slices.Clone(header)
	column, err := checkHeader(records, header, key)
	if err != nil {
		return err
	}
	l.rows.node = document.Node(2*column + 2) // behind the object come names and values by turns
	var row document.Document
	for {
		cells, err := records.Read()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return csvError(err)
		}
		line, _ := records.FieldPos(0)
		if len(cells) != len(header) {
			return wrong(line, "cells: %d, columns in the header: %d; write a cell for each column, "+
				"and quotes around those with a comma", len(cells), len(header))
		}
		b := row.Build()
		b.Begin(document.Object)
		for i, cell := range cells {
			if !utf8.ValidString(cell) {
				line, _ := records.FieldPos(i)
				return wrong(line, notUTF8)
			}
			b.Name(header[i])
			b.String(cell)
		}
		b.End()
		if err := b.Finish(); err != nil {
			return wrong(line, "%s", err)
		}
		l.add(&row, line)
	}
}

// checkHeader returns the column that the key is in. It quotes none of the names: a file without a header has a row there.
func checkHeader(records *csv.Reader, header []string, key string) (column int, err error) {
	places := make(map[string]int, len(header))
	for i, name := range header {
		line, _ := records.FieldPos(i)
		if !utf8.ValidString(name) {
			return 0, wrong(line, notUTF8)
		}
		if other, repeated := places[name]; repeated {
			return 0, wrong(line, "columns %d and %d have the same name; name them differently", other+1, i+1)
		}
		places[name] = i
	}
	column, found := places[key]
	if !found {
		if near, ok := setting.Nearest(key, header); ok {
			return 0, wrong(1, "the header has no column %q; did you mean %q? Mend key", key, near)
		}
		return 0, wrong(1, "the header has no column %q; mend key, or write a header line", key)
	}
	return column, nil
}

// csvError says what encoding/csv means. Other errors are those of reading.
func csvError(err error) error {
	parse, ok := errors.AsType[*csv.ParseError](err)
	if !ok {
		return err
	}
	switch {
	case errors.Is(parse, csv.ErrBareQuote):
		return wrong(parse.StartLine, `a quote stands in a cell that is not in quotes; write "a ""b"" c" for a "b" c`)
	case errors.Is(parse, csv.ErrQuote):
		return wrong(parse.StartLine, `a cell in quotes has no end, or text behind it; write "a ""b"" c" for a "b" c`)
	}
	return err
}
