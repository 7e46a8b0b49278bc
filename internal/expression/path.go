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
	fromHeaders    // without steps all headers, with one step the header of that name
	fromDecodedKey // meta.key where the key is decoded
	fromJoined     // a joined row
)

// metaNames are the names behind meta, in the order in which they are documented.
func metaNames() []string {
	return []string{"topic", "partition", "offset", "timestamp", "key", "headers"}
}

// path is a read whose place is known when the expression is compiled.
type path struct {
	from    source
	row     int    // of a joined row: its index
	rowName string // and its name
	steps   []step
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
	text.WriteString(callRead)
	switch p.from {
	case fromValue:
		text.WriteString("value")
	case fromJoined:
		text.WriteString("row " + strconv.Itoa(p.row))
	case fromDecodedKey:
		text.WriteString("key")
	default:
		text.WriteString("meta." + metaNames()[p.from-fromTopic])
	}
	writeSteps(&text, p.steps, false)
	return text.String()
}

// locate returns the node that the path leads to; ok is false for metadata, which is in no document.
func (p *path) locate(r *Record) (d *document.Document, n document.Node, ok bool) {
	switch p.from {
	case fromValue:
		d = &r.Value
	case fromDecodedKey:
		d = &r.Key
	case fromJoined:
		if d = r.row(p.row); d == nil {
			return &r.Value, document.None, true
		}
	case fromTopic, fromPartition, fromOffset, fromTimestamp, fromKey, fromHeaders:
		return nil, document.None, false
	}
	n = document.Root
	for i := range p.steps {
		if s := &p.steps[i]; s.byIndex {
			n = d.Element(n, s.index)
		} else {
			n = d.Field(n, s.name)
		}
		if n == document.None {
			break
		}
	}
	return d, n, true
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
	case fromValue, fromDecodedKey, fromJoined:
	}
	d, n, _ := p.locate(r)
	return d.Go(n)
}
