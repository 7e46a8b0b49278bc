package expression

import (
	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/document"
)

// Record is what a program looks into: the metadata of the input record, the value as it stands at this step, and what
// was joined to it. It belongs to one goroutine.
type Record struct {
	Source *kgo.Record
	// Value is the decoded value. It must be filled before a program runs whose ReadsValue is true.
	Value document.Document
	// Key is the decoded key. It must be filled before a program runs whose ReadsKey is true.
	Key document.Document
	// Joined are the joined rows by the index of Scope.Joined; nil where there is no row. Rows may be shared by goroutines,
	// because they are only read and, made by a document.Builder, have no escapes: reading them changes nothing.
	Joined []*document.Document
}

// row returns a joined row; nil if there is none.
func (r *Record) row(i int) *document.Document {
	if i >= len(r.Joined) {
		return nil
	}
	return r.Joined[i]
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
