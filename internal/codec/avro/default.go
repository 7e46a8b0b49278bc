package avro

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"

	hamba "github.com/hamba/avro/v2"

	"streamer/internal/codec/scalar"
	"streamer/internal/document"
)

func appendLong(dst []byte, value int64) []byte { return binary.AppendVarint(dst, value) }

// appendDefault encodes the default of a field, which the parser has checked against its type and turned into Go. The
// default of a union is one of its first branch.
func appendDefault(dst []byte, schema hamba.Schema, value any, depth int) ([]byte, error) {
	if depth > document.MaxDepth {
		return nil, errors.New("default contains itself")
	}
	switch schema := deref(schema).(type) {
	case *hamba.NullSchema:
		return dst, nil
	case *hamba.UnionSchema:
		if len(schema.Types()) == 0 {
			return nil, errors.New("union has no branches")
		}
		return appendDefault(appendLong(dst, 0), schema.Types()[0], value, depth+1)
	case *hamba.RecordSchema:
		return appendDefaultRecord(dst, schema, value, depth)
	case *hamba.ArraySchema:
		items, ok := value.([]any)
		if !ok {
			return nil, wrongDefault(value)
		}
		return appendDefaultItems(dst, schema, items, depth)
	case *hamba.MapSchema:
		values, ok := value.(map[string]any)
		if !ok {
			return nil, wrongDefault(value)
		}
		return appendDefaultMap(dst, schema, values, depth)
	case *hamba.EnumSchema:
		symbol, _ := value.(string)
		return appendLong(dst, int64(slices.Index(schema.Symbols(), symbol))), nil
	}
	return appendDefaultScalar(dst, schema, value)
}

func wrongDefault(value any) error { return fmt.Errorf("default of type %T does not fit", value) }

func appendDefaultRecord(dst []byte, schema *hamba.RecordSchema, value any, depth int) ([]byte, error) {
	fields, ok := value.(map[string]any)
	if !ok {
		return nil, wrongDefault(value)
	}
	for _, field := range schema.Fields() {
		value, ok := fields[field.Name()]
		if !ok {
			value = field.Default()
		}
		var err error
		if dst, err = appendDefault(dst, field.Type(), value, depth+1); err != nil {
			return nil, scalar.At(err, field.Name())
		}
	}
	return dst, nil
}

func appendDefaultItems(dst []byte, schema *hamba.ArraySchema, items []any, depth int) ([]byte, error) {
	if len(items) > 0 {
		dst = appendLong(dst, int64(len(items)))
	}
	for _, item := range items {
		var err error
		if dst, err = appendDefault(dst, schema.Items(), item, depth+1); err != nil {
			return nil, err
		}
	}
	return append(dst, 0), nil
}

// appendDefaultMap writes the names in their order, so that the same schema gives the same bytes.
func appendDefaultMap(dst []byte, schema *hamba.MapSchema, values map[string]any, depth int) ([]byte, error) {
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	if len(names) > 0 {
		dst = appendLong(dst, int64(len(names)))
	}
	for _, name := range names {
		dst = append(appendLong(dst, int64(len(name))), name...)
		var err error
		if dst, err = appendDefault(dst, schema.Values(), values[name], depth+1); err != nil {
			return nil, err
		}
	}
	return append(dst, 0), nil
}

func appendDefaultScalar(dst []byte, schema hamba.Schema, value any) ([]byte, error) {
	switch v := value.(type) {
	case bool:
		if v {
			return append(dst, 1), nil
		}
		return append(dst, 0), nil
	case int:
		if v < math.MinInt32 || v > math.MaxInt32 {
			return nil, errIntRange
		}
		return appendLong(dst, int64(v)), nil
	case int64:
		return appendLong(dst, v), nil
	case float32:
		return binary.LittleEndian.AppendUint32(dst, math.Float32bits(v)), nil
	case float64:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v)), nil
	case string:
		return append(appendLong(dst, int64(len(v))), v...), nil
	case []byte:
		return append(appendLong(dst, int64(len(v))), v...), nil
	}
	if array := reflect.ValueOf(value); schema.Type() == hamba.Fixed && array.Kind() == reflect.Array {
		for i := range array.Len() {
			dst = append(dst, byte(array.Index(i).Uint()))
		}
		return dst, nil
	}
	return nil, wrongDefault(value)
}
