package avro

import (
	"errors"
	"fmt"
	"strings"

	hamba "github.com/hamba/avro/v2"

	"streamer/internal/document"
)

const (
	// maxSchema bounds the text of a schema; a registry keeps schemas in Kafka records of at most 1 MiB.
	maxSchema = 4 << 20
	// maxFixed bounds a fixed type. The parser allocates that much for a default.
	maxFixed = 16 << 20
	// maxPrecision bounds a decimal: turning it into digits takes more than linear time.
	maxPrecision = 4096
)

// Schema is a parsed schema.
type Schema struct {
	root hamba.Schema
}

// Parse reads a schema. references are schemas whose types it names, each behind those that it needs itself.
func Parse(text string, references ...string) (schema *Schema, err error) {
	// The parser is written for trusted input: a default of a wrong shape makes it panic.
	defer func() {
		if r := recover(); r != nil {
			schema, err = nil, errors.New("malformed schema")
		}
	}()
	types := &hamba.SchemaCache{}
	for _, reference := range references {
		if _, err := parse(reference, types); err != nil {
			return nil, err
		}
	}
	root, err := parse(text, types)
	if err != nil {
		return nil, err
	}
	return &Schema{root: root}, nil
}

func parse(text string, types *hamba.SchemaCache) (hamba.Schema, error) {
	if len(text) > maxSchema {
		return nil, errors.New("schema is larger than 4 MiB")
	}
	var d document.Document
	if err := d.Parse([]byte(text)); err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	if err := bounded(&d, document.Root); err != nil {
		return nil, err
	}
	schema, err := hamba.ParseWithCache(text, "", types)
	if err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "avro: "))
	}
	return schema, nil
}

// bounded refuses what would make the parser allocate without bound.
func bounded(d *document.Document, n document.Node) error {
	if size := d.Field(n, "size"); size != document.None {
		if value, ok := d.Int(size); ok && value > maxFixed {
			return errors.New("fixed type is larger than 16 MiB")
		}
	}
	for _, child := range d.Children(n) {
		if err := bounded(d, child); err != nil {
			return err
		}
	}
	return nil
}

// deref follows a name to the type that it stands for.
func deref(schema hamba.Schema) hamba.Schema {
	if ref, ok := schema.(*hamba.RefSchema); ok {
		return ref.Schema()
	}
	return schema
}

// name is the word for a schema in errors: its full name, or its type.
func name(schema hamba.Schema) string {
	if named, ok := schema.(hamba.NamedSchema); ok {
		return named.FullName()
	}
	return string(schema.Type())
}

// scale returns the scale and precision of a decimal; ok is false for any other type. A decimal of absurd precision is no
// decimal but its bytes.
func decimal(schema hamba.Schema) (logical *hamba.DecimalLogicalSchema, ok bool) {
	typed, ok := schema.(hamba.LogicalTypeSchema)
	if !ok {
		return nil, false
	}
	logical, ok = typed.Logical().(*hamba.DecimalLogicalSchema)
	return logical, ok && logical.Precision() <= maxPrecision
}
