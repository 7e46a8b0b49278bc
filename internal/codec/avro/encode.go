package avro

import (
	"encoding/binary"
	"errors"
	"math"

	hamba "github.com/hamba/avro/v2"

	"streamer/internal/codec/scalar"
	"streamer/internal/document"
)

// encodeFunc appends the node as one value of its schema.
type encodeFunc func(e *Encoder, dst []byte, n document.Node) ([]byte, error)

// Program writes documents as values of one schema. It is immutable; any number of goroutines may use it, each with an
// Encoder of its own.
type Program struct {
	encode encodeFunc
}

// Encoder is what one goroutine needs to encode. The zero value is ready for use.
type Encoder struct {
	d       *document.Document
	depth   int
	found   []document.Node // the fields of the records that are being written
	scratch []byte
}

// NewEncoder compiles the schema.
func NewEncoder(schema *Schema) (*Program, error) {
	comp := &encodeCompiler{records: map[*hamba.RecordSchema]*recordEncoder{}}
	encode, err := comp.encoder(schema.root)
	if err != nil {
		return nil, err
	}
	return &Program{encode: encode}, nil
}

// Append appends node n of d. On an error it returns dst as it was.
func (p *Program) Append(e *Encoder, dst []byte, d *document.Document, n document.Node) ([]byte, error) {
	e.d, e.depth, e.found = d, 0, e.found[:0]
	out, err := p.encode(e, dst, n)
	e.d = nil
	if err != nil {
		return dst, err
	}
	return out, nil
}

type encodeCompiler struct {
	records map[*hamba.RecordSchema]*recordEncoder
}

func (comp *encodeCompiler) encoder(schema hamba.Schema) (encodeFunc, error) {
	switch schema := deref(schema).(type) {
	case *hamba.NullSchema:
		return encodeNull, nil
	case *hamba.PrimitiveSchema:
		return encodePrimitive(schema), nil
	case *hamba.EnumSchema:
		return encodeEnum(schema), nil
	case *hamba.FixedSchema:
		if logical, ok := decimal(schema); ok {
			return encodeDecimal(logical, schema.Size()), nil
		}
		return encodeFixed(schema), nil
	case *hamba.RecordSchema:
		record, err := comp.record(schema)
		if err != nil {
			return nil, err
		}
		return record.encode, nil
	case *hamba.ArraySchema:
		return comp.array(schema)
	case *hamba.MapSchema:
		return comp.mapping(schema)
	case *hamba.UnionSchema:
		return comp.union(schema)
	}
	return nil, errors.New("schema has an unknown type")
}

func encodeNull(e *Encoder, dst []byte, n document.Node) ([]byte, error) {
	if kind := e.d.Kind(n); kind != document.Null && kind != document.Missing {
		return dst, scalar.Wants("null", kind)
	}
	return dst, nil
}

func encodePrimitive(schema *hamba.PrimitiveSchema) encodeFunc {
	switch schema.Type() { //nolint:exhaustive // the others are not primitive
	case hamba.Boolean:
		return encodeBoolean
	case hamba.Int:
		return encodeWhole(math.MinInt32, math.MaxInt32, "int")
	case hamba.Long:
		return encodeWhole(math.MinInt64, math.MaxInt64, "long")
	case hamba.Float:
		return encodeFloat
	case hamba.Double:
		return encodeDouble
	case hamba.String:
		return encodeText
	}
	if logical, ok := decimal(schema); ok {
		return encodeDecimal(logical, -1)
	}
	return encodeBytes
}

func encodeBoolean(e *Encoder, dst []byte, n document.Node) ([]byte, error) {
	switch kind := e.d.Kind(n); kind {
	case document.False:
		return append(dst, 0), nil
	case document.True:
		return append(dst, 1), nil
	default:
		return dst, scalar.Wants("boolean", kind)
	}
}

func encodeWhole(least, most int64, wanted string) encodeFunc {
	return func(e *Encoder, dst []byte, n document.Node) ([]byte, error) {
		value, err := scalar.Int(e.d, n, least, most, wanted)
		if err != nil {
			return dst, err
		}
		return appendLong(dst, value), nil
	}
}

func encodeFloat(e *Encoder, dst []byte, n document.Node) ([]byte, error) {
	value, err := scalar.Float32(e.d, n, "float")
	if err != nil {
		return dst, err
	}
	return binary.LittleEndian.AppendUint32(dst, math.Float32bits(value)), nil
}

func encodeDouble(e *Encoder, dst []byte, n document.Node) ([]byte, error) {
	value, err := scalar.Float(e.d, n, "double")
	if err != nil {
		return dst, err
	}
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(value)), nil
}

func encodeText(e *Encoder, dst []byte, n document.Node) ([]byte, error) {
	if kind := e.d.Kind(n); kind != document.String {
		return dst, scalar.Wants("string", kind)
	}
	text := e.d.Text(n)
	return append(appendLong(dst, int64(len(text))), text...), nil
}

func encodeBytes(e *Encoder, dst []byte, n document.Node) ([]byte, error) {
	bytes, err := scalar.AppendBytes(e.scratch[:0], e.d, n, "bytes")
	if err != nil {
		return dst, err
	}
	e.scratch = bytes
	return append(appendLong(dst, int64(len(bytes))), bytes...), nil
}

var errSize = errors.New("base64 text does not have the bytes of the fixed type")

func encodeFixed(schema *hamba.FixedSchema) encodeFunc {
	size := schema.Size()
	return func(e *Encoder, dst []byte, n document.Node) ([]byte, error) {
		out, err := scalar.AppendBytes(dst, e.d, n, "fixed")
		if err != nil {
			return dst, err
		}
		if len(out)-len(dst) != size {
			return dst, errSize
		}
		return out, nil
	}
}

func encodeEnum(schema *hamba.EnumSchema) encodeFunc {
	places := make(map[string]int64, len(schema.Symbols()))
	for i, symbol := range schema.Symbols() {
		places[symbol] = int64(i)
	}
	return func(e *Encoder, dst []byte, n document.Node) ([]byte, error) {
		if kind := e.d.Kind(n); kind != document.String {
			return dst, scalar.Wants("enum", kind)
		}
		place, ok := places[string(e.d.Text(n))]
		if !ok {
			return dst, errSymbol
		}
		return appendLong(dst, place), nil
	}
}

func (e *Encoder) enter() error {
	if e.depth++; e.depth > document.MaxDepth {
		return errDeep
	}
	return nil
}

func (comp *encodeCompiler) array(schema *hamba.ArraySchema) (encodeFunc, error) {
	items, err := comp.encoder(schema.Items())
	if err != nil {
		return nil, err
	}
	return func(e *Encoder, dst []byte, n document.Node) ([]byte, error) {
		if kind := e.d.Kind(n); kind != document.Array {
			return dst, scalar.Wants("array", kind)
		}
		if err := e.enter(); err != nil {
			return dst, err
		}
		if count := e.count(n); count > 0 {
			dst = appendLong(dst, count)
		}
		for _, item := range e.d.Children(n) {
			var err error
			if dst, err = items(e, dst, item); err != nil {
				return dst, scalar.At(err, scalar.Item)
			}
		}
		e.depth--
		return append(dst, 0), nil
	}, nil
}

func (comp *encodeCompiler) mapping(schema *hamba.MapSchema) (encodeFunc, error) {
	values, err := comp.encoder(schema.Values())
	if err != nil {
		return nil, err
	}
	return func(e *Encoder, dst []byte, n document.Node) ([]byte, error) {
		if kind := e.d.Kind(n); kind != document.Object {
			return dst, scalar.Wants("map", kind)
		}
		if err := e.enter(); err != nil {
			return dst, err
		}
		if count := e.count(n); count > 0 {
			dst = appendLong(dst, count)
		}
		for name, value := range e.d.Children(n) {
			var err error
			if dst, err = encodeText(e, dst, name); err != nil {
				return dst, err
			}
			if dst, err = values(e, dst, value); err != nil {
				return dst, scalar.At(err, scalar.Item)
			}
		}
		e.depth--
		return append(dst, 0), nil
	}, nil
}

// count counts the elements of an array, or the names of an object.
func (e *Encoder) count(n document.Node) int64 {
	count := int64(0)
	for range e.d.Children(n) {
		count++
	}
	return count
}
