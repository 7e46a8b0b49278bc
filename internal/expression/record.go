package expression

import (
	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/document"
)

// Record is what a program looks into: the metadata of the input record, and the value as it stands at this step.
type Record struct {
	Source *kgo.Record
	// Value is the decoded value. It must be filled before a program runs whose ReadsValue is true.
	Value document.Document

	// topic is Source.Topic as bytes, made again only when another topic comes: closures compare bytes.
	topic     []byte
	topicName string
}

// Shape says what names a value offers.
type Shape uint8

// The shapes of a value.
const (
	Opaque Shape = iota // bytes: no names, only meta.*
	Text                // one name, value
	Fields              // any name is a field
)

// find walks from the root of the value; document.None if a part is missing.
func (r *Record) find(steps []step) document.Node {
	node := document.Root
	for i := range steps {
		if steps[i].name != "" || !steps[i].byIndex {
			node = r.Value.Field(node, steps[i].name)
		} else {
			node = r.Value.Element(node, steps[i].index)
		}
		if node == document.None {
			return node
		}
	}
	return node
}

// header returns the value of the last header of that name, as Kafka's lastHeader does.
func (r *Record) header(name string) (value []byte, found bool) {
	for i := len(r.Source.Headers) - 1; i >= 0; i-- {
		if h := &r.Source.Headers[i]; h.Key == name {
			return h.Value, h.Value != nil
		}
	}
	return nil, false
}

// headers returns all headers as an object; of a repeated name the last counts.
func (r *Record) headers() map[string]any {
	all := make(map[string]any, len(r.Source.Headers))
	for _, h := range r.Source.Headers {
		all[h.Key] = textOrNil(h.Value)
	}
	return all
}

func textOrNil(b []byte) any {
	if b == nil {
		return nil
	}
	return string(b)
}
