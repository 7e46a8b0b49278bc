package codec

import (
	"encoding/binary"
	"errors"
)

// headerSize is what stands in front of a framed value: a zero byte and the schema's id, big endian (Confluent wire format).
const headerSize = 5

var (
	errNoHeader = errors.New("value is shorter than the header of a schema registry's framing")
	errNotMagic = errors.New("value does not begin with the zero byte of a schema registry's framing")
)

// splitHeader returns the schema's id and what follows the header.
func splitHeader(data []byte) (id int32, body []byte, err error) {
	switch {
	case len(data) < headerSize:
		return 0, nil, errNoHeader
	case data[0] != 0:
		return 0, nil, errNotMagic
	}
	return int32(binary.BigEndian.Uint32(data[1:])), data[headerSize:], nil
}

func appendHeader(dst []byte, id int32) []byte {
	return binary.BigEndian.AppendUint32(append(dst, 0), uint32(id))
}

const (
	// maxIndex bounds the path to a nested message: descriptors themselves nest no deeper.
	maxIndex = 32
)

var errIndex = errors.New("the list of message indexes behind the header is malformed")

// splitIndexes reads the path to a message in its file: the place of a top-level message, then of one inside, and so on,
// with their number in front. A single 0 stands for the first message. path is appended to.
func splitIndexes(path []int, data []byte) (indexes []int, body []byte, err error) {
	next := func() (int, bool) {
		value, n := binary.Varint(data)
		if n <= 0 || value < 0 || value > 1<<20 {
			return 0, false
		}
		data = data[n:]
		return int(value), true
	}
	count, ok := next()
	if !ok || count > maxIndex {
		return nil, nil, errIndex
	}
	if count == 0 {
		return append(path, 0), data, nil
	}
	for range count {
		index, ok := next()
		if !ok {
			return nil, nil, errIndex
		}
		path = append(path, index)
	}
	return path, data, nil
}

func appendIndexes(dst []byte, path []int) []byte {
	if len(path) == 1 && path[0] == 0 {
		return append(dst, 0)
	}
	dst = binary.AppendVarint(dst, int64(len(path)))
	for _, index := range path {
		dst = binary.AppendVarint(dst, int64(index))
	}
	return dst
}
