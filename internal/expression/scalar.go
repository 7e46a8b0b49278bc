package expression

import (
	"cmp"

	"streamer/internal/document"
)

// scalar is a value as closures see it: without boxing, and for strings without copying.
type scalar struct {
	kind    document.Kind // never Missing: that is Null
	integer int64         // of an Integer
	float   float64       // of a Float
	text    []byte        // of a String
}

// scalar reads the value at the path; a list or an object is only its kind.
func (p *path) scalar(r *Record) scalar {
	switch p.from {
	case fromTopic:
		if r.topicName != r.Source.Topic {
			r.topicName, r.topic = r.Source.Topic, []byte(r.Source.Topic)
		}
		return scalar{kind: document.String, text: r.topic}
	case fromPartition:
		return scalar{kind: document.Integer, integer: int64(r.Source.Partition)}
	case fromOffset:
		return scalar{kind: document.Integer, integer: r.Source.Offset}
	case fromTimestamp:
		return scalar{kind: document.Integer, integer: r.Source.Timestamp.UnixMilli()}
	case fromKey:
		return textScalar(r.Source.Key, r.Source.Key != nil)
	case fromHeaders:
		if len(p.steps) == 0 {
			return scalar{kind: document.Object}
		}
		return textScalar(r.header(p.steps[0].name))
	case fromValue, fromDecodedKey, fromJoined:
	}
	d, n, _ := p.locate(r)
	return nodeScalar(d, n)
}

func textScalar(text []byte, found bool) scalar {
	if !found {
		return scalar{kind: document.Null}
	}
	return scalar{kind: document.String, text: text}
}

func nodeScalar(d *document.Document, n document.Node) scalar {
	switch kind := d.Kind(n); kind {
	case document.Missing:
		return scalar{kind: document.Null}
	case document.String:
		return scalar{kind: kind, text: d.Text(n)}
	case document.Integer:
		if integer, ok := d.Int(n); ok {
			return scalar{kind: kind, integer: integer}
		}
		return scalar{kind: document.Float, float: d.Float(n)}
	case document.Float:
		return scalar{kind: kind, float: d.Float(n)}
	default:
		return scalar{kind: kind}
	}
}

func (s *scalar) isNumber() bool { return s.kind == document.Integer || s.kind == document.Float }

func (s *scalar) asFloat() float64 {
	if s.kind == document.Integer {
		return float64(s.integer)
	}
	return s.float
}

// equal answers as expr does: two integers exactly, any other two numbers as floats, unlike kinds are not equal.
func (s *scalar) equal(literal *scalar) bool {
	switch {
	case s.kind == document.Integer && literal.kind == document.Integer:
		return s.integer == literal.integer
	case s.isNumber() && literal.isNumber():
		return s.asFloat() == literal.asFloat()
	case s.kind == document.String && literal.kind == document.String:
		return string(s.text) == string(literal.text)
	}
	return s.kind == literal.kind
}

// compare orders two numbers or two strings; ok is false for anything else. No order holds with a float that is not a
// number, which JSON does not have.
func (s *scalar) compare(literal *scalar) (order int, ok bool) {
	switch {
	case s.kind == document.Integer && literal.kind == document.Integer:
		return cmp.Compare(s.integer, literal.integer), true
	case s.isNumber() && literal.isNumber():
		return cmp.Compare(s.asFloat(), literal.asFloat()), true
	case s.kind == document.String && literal.kind == document.String:
		return cmp.Compare(string(s.text), string(literal.text)), true
	}
	return 0, false
}

func (s *scalar) kindName() string {
	switch s.kind {
	case document.Missing, document.Null:
		return "nil"
	case document.False, document.True:
		return "bool"
	case document.Integer:
		return "int"
	case document.Float:
		return "float"
	case document.String:
		return "string"
	case document.Array:
		return "list"
	case document.Object:
	}
	return "object"
}

func (s *scalar) value() Value {
	return Value{Kind: s.kind, Int: s.integer, Float: s.float, Text: s.text}
}
