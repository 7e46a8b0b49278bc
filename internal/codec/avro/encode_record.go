package avro

import (
	"errors"

	hamba "github.com/hamba/avro/v2"

	"streamer/internal/codec/scalar"
	"streamer/internal/document"
)

var errMissing = errors.New("is missing and has no default")

// recordEncoder writes objects as one record type. A record that contains itself refers to it before it is complete.
type recordEncoder struct {
	fields []encodeField
	places map[string]int
}

type encodeField struct {
	name     string
	encode   encodeFunc
	optional bool   // may be missing
	missing  []byte // what is written then
}

func (comp *encodeCompiler) record(schema *hamba.RecordSchema) (*recordEncoder, error) {
	if known := comp.records[schema]; known != nil {
		return known, nil
	}
	r := &recordEncoder{places: map[string]int{}}
	comp.records[schema] = r
	for i, field := range schema.Fields() {
		f := encodeField{name: field.Name()}
		var err error
		if f.encode, err = comp.encoder(field.Type()); err != nil {
			return nil, scalar.At(err, field.Name())
		}
		if f.missing, f.optional, err = missing(field); err != nil {
			return nil, scalar.At(err, field.Name())
		}
		r.places[f.name] = i
		r.fields = append(r.fields, f)
	}
	return r, nil
}

// missing returns what is written for a field that the object lacks: the default, or else null if its type has null.
func missing(field *hamba.Field) (encoded []byte, optional bool, err error) {
	if field.HasDefault() {
		encoded, err = appendDefault(nil, field.Type(), field.Default(), 0)
		return encoded, true, err
	}
	switch schema := deref(field.Type()).(type) {
	case *hamba.NullSchema:
		return nil, true, nil
	case *hamba.UnionSchema:
		for i, branch := range schema.Types() {
			if branch.Type() == hamba.Null {
				return appendLong(nil, int64(i)), true, nil
			}
		}
	}
	return nil, false, nil
}

func (r *recordEncoder) encode(e *Encoder, dst []byte, n document.Node) ([]byte, error) {
	if kind := e.d.Kind(n); kind != document.Object {
		return dst, scalar.Wants("record", kind)
	}
	if err := e.enter(); err != nil {
		return dst, err
	}
	base := len(e.found)
	r.find(e, n)
	for i := range r.fields {
		field, value := &r.fields[i], e.found[base+i]
		switch {
		case value != document.None:
			var err error
			if dst, err = field.encode(e, dst, value); err != nil {
				return dst, scalar.At(err, field.name)
			}
		case field.optional:
			dst = append(dst, field.missing...)
		default:
			return dst, scalar.At(errMissing, field.name)
		}
	}
	e.found = e.found[:base]
	e.depth--
	return dst, nil
}

// find appends the value of each field to e.found, None for one that is not there, and reports whether the object has names
// that the record lacks. Of a name that is repeated the last value counts.
func (r *recordEncoder) find(e *Encoder, n document.Node) (more bool) {
	base := len(e.found)
	for range r.fields {
		e.found = append(e.found, document.None)
	}
	next := 0
	for name, value := range e.d.Children(n) {
		text := e.d.Text(name)
		place := next // most objects have the order of the schema
		if place >= len(r.fields) || r.fields[place].name != string(text) {
			var ok bool
			if place, ok = r.places[string(text)]; !ok {
				more = true
				continue
			}
		}
		e.found[base+place] = value
		next = place + 1
	}
	return more
}

// fits reports whether the object has all fields that may not be missing, and, if exactly, no others.
func (r *recordEncoder) fits(e *Encoder, n document.Node, exactly bool) bool {
	if e.d.Kind(n) != document.Object {
		return false
	}
	base := len(e.found)
	more := r.find(e, n)
	fits := !more || !exactly
	for i := range r.fields {
		fits = fits && (r.fields[i].optional || e.found[base+i] != document.None)
	}
	e.found = e.found[:base]
	return fits
}
