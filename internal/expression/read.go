package expression

import "streamer/internal/document"

// frame is what the closures of one run share.
type frame struct {
	record *Record
	arena  []byte // text that the run makes; only appended to, so that what refers to it stays
}

// tail is the text that stands in the arena behind start.
func (f *frame) tail(start int) scalar { return textScalar(alias(f.arena[start:])) }

// scalar reads the value at the path.
func (p *path) scalar(f *frame) scalar {
	if d, n, ok := p.locate(f.record); ok {
		return f.node(d, n)
	}
	source := f.record.Source
	switch p.from { //nolint:exhaustive // the documents are done with
	case fromTopic:
		return textScalar(source.Topic)
	case fromPartition:
		return intScalar(int64(source.Partition))
	case fromOffset:
		return intScalar(source.Offset)
	case fromTimestamp:
		return intScalar(source.Timestamp.UnixMilli())
	case fromKey:
		return bytesScalar(source.Key, source.Key != nil)
	}
	if len(p.steps) == 0 {
		return scalar{kind: document.Object} // all headers
	}
	return bytesScalar(f.record.header(p.steps[0].name))
}

func bytesScalar(text []byte, found bool) scalar {
	if !found {
		return scalar{kind: document.Null}
	}
	return textScalar(alias(text))
}

func (f *frame) node(d *document.Document, n document.Node) scalar {
	switch kind := d.Kind(n); kind {
	case document.Missing:
		return scalar{kind: document.Null}
	case document.String:
		var text []byte
		text, f.arena = d.TextIn(f.arena, n)
		return textScalar(alias(text))
	case document.Integer:
		if integer, ok := d.Int(n); ok {
			return intScalar(integer)
		}
		return floatScalar(d.Float(n))
	case document.Float:
		return floatScalar(d.Float(n))
	default:
		return scalar{kind: kind}
	}
}

// field is scalar for the most common path, a field of the value.
func (f *frame) field(name string) scalar {
	d := &f.record.Value
	return f.node(d, d.Field(document.Root, name))
}

func readOf(p *path) compute {
	if p.from == fromValue && len(p.steps) == 1 && !p.steps[0].byIndex {
		name := p.steps[0].name
		return func(f *frame) (scalar, bool) { return f.field(name), true }
	}
	return func(f *frame) (scalar, bool) { return p.scalar(f), true }
}
