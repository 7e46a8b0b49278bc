package expression

import (
	"strconv"
	"strings"

	"streamer/internal/document"
)

// source is where a path starts.
type source uint8

const (
	fromValue source = iota
	fromTopic
	fromPartition
	fromOffset
	fromTimestamp
	fromKey
	fromHeaders // without steps all headers, with one step the header of that name
)

// metaNames are the names behind meta, in the order in which they are documented.
func metaNames() []string {
	return []string{"topic", "partition", "offset", "timestamp", "key", "headers"}
}

// path is a read whose place is known when the expression is compiled.
type path struct {
	from  source
	steps []step
}

// step goes into an object by name, or into an array by index.
type step struct {
	name    string
	index   int
	byIndex bool
}

// String is the unique name of the function that reads the path; with a space in it, so that no user can call it.
func (p *path) String() string {
	var text strings.Builder
	if p.from == fromValue {
		text.WriteString("read value")
	} else {
		text.WriteString("read meta." + metaNames()[p.from-fromTopic])
	}
	for _, s := range p.steps {
		if s.byIndex {
			text.WriteString("[" + strconv.Itoa(s.index) + "]")
		} else {
			text.WriteString("[" + strconv.Quote(s.name) + "]")
		}
	}
	return text.String()
}

// read returns the value at the path in Go's types; nil if it is missing.
func (p *path) read(r *Record) any {
	switch p.from {
	case fromTopic:
		return r.Source.Topic
	case fromPartition:
		return int(r.Source.Partition)
	case fromOffset:
		return int(r.Source.Offset)
	case fromTimestamp:
		return int(r.Source.Timestamp.UnixMilli())
	case fromKey:
		return textOrNil(r.Source.Key)
	case fromHeaders:
		if len(p.steps) == 0 {
			return r.headers()
		}
		value, _ := r.header(p.steps[0].name)
		return textOrNil(value)
	case fromValue:
	}
	return r.Value.Go(r.find(p.steps))
}

// append writes what read returns as JSON; of the value it copies the JSON as it stands, so that numbers keep every
// digit.
func (p *path) append(dst []byte, r *Record) ([]byte, error) {
	switch p.from {
	case fromPartition:
		return strconv.AppendInt(dst, int64(r.Source.Partition), 10), nil
	case fromOffset:
		return strconv.AppendInt(dst, r.Source.Offset, 10), nil
	case fromTimestamp:
		return strconv.AppendInt(dst, r.Source.Timestamp.UnixMilli(), 10), nil
	case fromTopic, fromKey, fromHeaders:
		return document.AppendGo(dst, p.read(r))
	case fromValue:
	}
	return r.Value.Append(dst, r.find(p.steps)), nil
}
