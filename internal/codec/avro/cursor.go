package avro

import (
	"encoding/binary"
	"errors"
	"math"

	"streamer/internal/document"
)

// What is wrong with bytes, whatever their schema.
var (
	errEnds     = errors.New("data ends inside a value")
	errVarint   = errors.New("a number has too many bytes")
	errIntRange = errors.New("int is out of range")
	errLength   = errors.New("a length is negative or runs past the end of the data")
	errDeep     = errors.New("values are nested more than 512 deep")
	errEmpty    = errors.New("arrays hold too many items that take no bytes")
	errFilled   = errors.New("defaults of the reader's schema make the value too large")
	errTrailing = errors.New("bytes are left behind the value")
)

const (
	// maxEmpty is how many items without bytes (nulls, empty records) the arrays of one value may hold. Nothing but their
	// count takes room in the data, and a hostile one would fill the memory.
	maxEmpty = 4096
	// maxFilled is how many defaults a reader's schema may add to one value.
	maxFilled = 1 << 20
)

// cursor reads one value. It belongs to one goroutine.
type cursor struct {
	data    []byte
	at      int
	depth   int
	empty   int    // items without bytes so far
	filled  int    // defaults so far
	scratch []byte // base64 and decimals on their way into the document
	starts  []int  // where fields begin, for records whose reader wants another order
}

func (c *cursor) reset(data []byte) {
	const maxKept = 64 << 10
	if cap(c.scratch) > maxKept {
		c.scratch = nil
	}
	*c = cursor{data: data, scratch: c.scratch[:0], starts: c.starts[:0]}
}

func (c *cursor) left() int { return len(c.data) - c.at }

// long reads a zig-zag number of up to 64 bits.
func (c *cursor) long() (int64, error) {
	if c.at < len(c.data) && c.data[c.at] < 0x80 { // most counts, indexes and lengths
		b := c.data[c.at]
		c.at++
		return int64(b>>1) ^ -int64(b&1), nil
	}
	value, n := binary.Varint(c.data[c.at:])
	if n <= 0 {
		if n == 0 {
			return 0, errEnds
		}
		return 0, errVarint
	}
	c.at += n
	return value, nil
}

func (c *cursor) int() (int64, error) {
	value, err := c.long()
	if err == nil && (value < math.MinInt32 || value > math.MaxInt32) {
		err = errIntRange
	}
	return value, err
}

// take returns the next n bytes, which belong to the data.
func (c *cursor) take(n int) ([]byte, error) {
	if n > c.left() {
		return nil, errEnds
	}
	bytes := c.data[c.at : c.at+n]
	c.at += n
	return bytes, nil
}

// bytes reads a length and as many bytes.
func (c *cursor) bytes() ([]byte, error) {
	length, err := c.long()
	if err != nil {
		return nil, err
	}
	if length < 0 || length > int64(c.left()) {
		return nil, errLength
	}
	return c.take(int(length))
}

// block reads the header of a block of items, each of least bytes or more; a count of 0 ends the array or map. size is the
// block's bytes, if the writer said so, else -1.
func (c *cursor) block(least int) (count, size int, err error) {
	n, err := c.long()
	if err != nil {
		return 0, 0, err
	}
	size = -1
	if n < 0 {
		if n == math.MinInt64 {
			return 0, 0, errLength
		}
		n = -n
		length, err := c.long()
		if err != nil {
			return 0, 0, err
		}
		if length < 0 || length > int64(c.left()) {
			return 0, 0, errLength
		}
		size = int(length)
	}
	switch {
	case least > 0:
		if n > int64(c.left()/least) {
			return 0, 0, errLength
		}
	case n > int64(maxEmpty-c.empty):
		return 0, 0, errEmpty
	default:
		c.empty += int(n)
	}
	return int(n), size, nil
}

func (c *cursor) enter() error {
	if c.depth++; c.depth > document.MaxDepth {
		return errDeep
	}
	return nil
}

func (c *cursor) leave() { c.depth-- }
