package demo

import (
	"strings"
	"unicode/utf8"
)

// colour is an ANSI colour code; plain is none.
type colour string

const (
	plain  colour = ""
	dim    colour = "2"
	bold   colour = "1"
	red    colour = "31"
	green  colour = "32"
	yellow colour = "33"
	blue   colour = "34"
	cyan   colour = "36"
)

// piece is a stretch of text in one colour. Its characters are one column wide each.
type piece struct {
	text   string
	colour colour
}

// line is one row of the screen.
type line []piece

// add appends text.
func (l *line) add(c colour, text string) { *l = append(*l, piece{text, c}) }

// width is the number of columns.
func (l *line) width() int {
	columns := 0
	for _, p := range *l {
		columns += utf8.RuneCountInString(p.text)
	}
	return columns
}

// pad adds spaces up to column, and one space at least so that texts never touch.
func (l *line) pad(column int) { l.add(plain, strings.Repeat(" ", max(1, column-l.width()))) }

// render cuts the line at width columns: a line that wraps would break drawing in place, which counts lines.
func (l *line) render(width int, colours bool) string {
	var out strings.Builder
	for _, p := range *l {
		text := cut(p.text, width)
		width -= utf8.RuneCountInString(text)
		if colours && p.colour != plain && text != "" {
			out.WriteString("\x1b[" + string(p.colour) + "m" + text + "\x1b[0m")
			continue
		}
		out.WriteString(text)
	}
	return strings.TrimRight(out.String(), " ")
}

// cut returns the first width characters of text.
func cut(text string, width int) string {
	for i := range text {
		if width <= 0 {
			return text[:i]
		}
		width--
	}
	return text
}
