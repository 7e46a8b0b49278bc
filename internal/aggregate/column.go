package aggregate

import (
	"bytes"
	"strconv"
	"unicode/utf8"
	"unsafe"

	"streamer/internal/document"
)

// column holds the cells of one function: which of the slices are used depends on it. What few cells need stands aside and
// is named by its place plus one.
type column struct {
	function     Function
	counts       []int64 // Count and Avg
	sums         []sum   // Sum and Avg
	extremes     []value // Min and Max
	accumulators []*accumulator
	texts        [][]byte
	textBytes    int
}

const (
	columnSize      = int(unsafe.Sizeof(column{}))
	sumSize         = int(unsafe.Sizeof(sum{}))
	valueSize       = int(unsafe.Sizeof(value{}))
	wordSize        = 8
	headerSize      = 24 // of a slice
	accumulatorSize = int(unsafe.Sizeof(accumulator{}))
)

// extend adds the cell of a new group.
func (c *column) extend() {
	switch c.function {
	case Count:
		c.counts = append(c.counts, 0)
	case Sum:
		c.sums = append(c.sums, sum{})
	case Avg:
		c.counts, c.sums = append(c.counts, 0), append(c.sums, sum{})
	case Min, Max:
		c.extremes = append(c.extremes, value{})
	}
}

func (c *column) bytes() int {
	return wordSize*cap(c.counts) + sumSize*cap(c.sums) + valueSize*cap(c.extremes) + c.textBytes +
		headerSize*cap(c.texts) + wordSize*cap(c.accumulators) + accumulatorSize*len(c.accumulators)
}

// reset drops what stands aside: the next block need not have such cells.
func (c *column) reset() {
	c.counts, c.sums, c.extremes = c.counts[:0], c.sums[:0], c.extremes[:0]
	c.accumulators, c.texts, c.textBytes = nil, nil, 0
}

// merge adds the cell at from of another column of the same function to the cell at group.
func (c *column) merge(group int, other *column, from int) {
	switch c.function {
	case Count:
		c.counts[group] += other.counts[from]
	case Avg:
		c.counts[group] += other.counts[from]
		c.mergeSum(group, other, from)
	case Sum:
		c.mergeSum(group, other, from)
	case Min, Max:
		switch v := other.extremes[from]; v.kind {
		case absent:
		case textKind:
			c.text(group, other.texts[v.text-1])
		case intKind, floatKind:
			c.extreme(group, v)
		}
	}
}

// text offers a string to the cell of a Min or Max.
func (c *column) text(group int, v []byte) {
	cell := &c.extremes[group]
	if cell.kind == textKind && !c.precedes(bytes.Compare(v, c.texts[cell.text-1])) {
		return
	}
	if cell.kind != textKind {
		if cell.kind != absent && c.function == Min { // numbers come before strings
			return
		}
		c.texts = append(c.texts, nil)
		*cell = value{kind: textKind, text: uint32(len(c.texts))}
	}
	kept := &c.texts[cell.text-1]
	c.textBytes -= cap(*kept)
	*kept = append((*kept)[:0], v...)
	c.textBytes += cap(*kept)
}

// extreme offers a number to the cell of a Min or Max.
func (c *column) extreme(group int, v value) {
	cell := &c.extremes[group]
	switch cell.kind {
	case absent:
		*cell = v
	case textKind:
		if c.function == Min { // the text's memory is kept with the column until Reset
			*cell = v
		}
	case intKind, floatKind:
		if c.precedes(v.compare(*cell)) {
			*cell = v
		}
	}
}

// precedes tells whether a value that compares so with the one in the cell takes its place.
func (c *column) precedes(comparison int) bool {
	if c.function == Min {
		return comparison < 0
	}
	return comparison > 0
}

func (c *column) appendResult(dst []byte, group int) []byte {
	switch c.function {
	case Count:
		return strconv.AppendInt(dst, c.counts[group], 10)
	case Sum:
		return c.appendSum(dst, group)
	case Avg:
		return c.appendAverage(dst, group)
	case Min, Max:
		switch v := c.extremes[group]; v.kind {
		case absent:
		case intKind:
			return strconv.AppendInt(dst, v.int(), 10)
		case floatKind:
			return appendFloat(dst, v.float())
		case textKind:
			return appendText(dst, c.texts[v.text-1])
		}
	}
	return append(dst, null...)
}

const null = "null"

func appendFloat(dst []byte, f float64) []byte {
	if out, err := document.AppendFloat(dst, f); err == nil {
		return out
	}
	return append(dst, null...)
}

func appendText(dst, text []byte) []byte {
	if !utf8.Valid(text) {
		text = bytes.ToValidUTF8(text, []byte(string(utf8.RuneError)))
	}
	out, err := document.AppendString(dst, string(text))
	if err != nil { // only text that is not UTF-8 fails
		return append(dst, null...)
	}
	return out
}
