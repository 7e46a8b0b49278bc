package avro

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"unicode/utf8"

	hamba "github.com/hamba/avro/v2"

	"streamer/internal/codec/scalar"
	"streamer/internal/document"
)

var (
	errBool   = errors.New("boolean is neither 0 nor 1")
	errUTF8   = errors.New("string is not valid UTF-8")
	errSymbol = errors.New("enum has no such symbol")
)

// primitive reads a primitive type of the writer as the reader's, which match.
func primitive(w, r hamba.Schema) (decodeFunc, error) {
	whole := w.Type() == hamba.Int || w.Type() == hamba.Long
	switch r.Type() { //nolint:exhaustive // the others are not primitive
	case hamba.Null:
		return func(_ *cursor, b *document.Builder) error { b.Null(); return nil }, nil
	case hamba.Boolean:
		return boolean, nil
	case hamba.Int, hamba.Long:
		if w.Type() == hamba.Int {
			return integer, nil
		}
		return long, nil
	case hamba.Float, hamba.Double:
		switch {
		case whole:
			return wholeFloat(w.Type() == hamba.Int, r.Type() == hamba.Float), nil
		case w.Type() == hamba.Float:
			return float, nil
		}
		return double, nil
	case hamba.String:
		return text, nil
	case hamba.Bytes:
		if logical, ok := decimal(r); ok {
			return decimalOf(w, r, logical, (*cursor).bytes)
		}
		return binaryText((*cursor).bytes), nil
	}
	return nil, mismatch(w, r)
}

func boolean(c *cursor, b *document.Builder) error {
	bytes, err := c.take(1)
	if err != nil {
		return err
	}
	if bytes[0] > 1 {
		return errBool
	}
	b.Bool(bytes[0] == 1)
	return nil
}

func integer(c *cursor, b *document.Builder) error {
	value, err := c.int()
	if err != nil {
		return err
	}
	b.Int(value)
	return nil
}

func long(c *cursor, b *document.Builder) error {
	value, err := c.long()
	if err != nil {
		return err
	}
	b.Int(value)
	return nil
}

// wholeFloat reads a whole number that the reader wants as a floating-point one.
func wholeFloat(narrow, single bool) decodeFunc {
	read := (*cursor).long
	if narrow {
		read = (*cursor).int
	}
	return func(c *cursor, b *document.Builder) error {
		value, err := read(c)
		switch {
		case err != nil:
			return err
		case single:
			return scalar.AddFloat32(b, float32(value))
		default:
			return scalar.AddFloat(b, float64(value))
		}
	}
}

func float(c *cursor, b *document.Builder) error {
	bytes, err := c.take(4)
	if err != nil {
		return err
	}
	return scalar.AddFloat32(b, math.Float32frombits(binary.LittleEndian.Uint32(bytes)))
}

func double(c *cursor, b *document.Builder) error {
	bytes, err := c.take(8)
	if err != nil {
		return err
	}
	return scalar.AddFloat(b, math.Float64frombits(binary.LittleEndian.Uint64(bytes)))
}

func text(c *cursor, b *document.Builder) error {
	bytes, err := c.bytes()
	if err != nil {
		return err
	}
	if !utf8.Valid(bytes) {
		return errUTF8
	}
	b.Text(bytes)
	return nil
}

// binaryText reads bytes as base64 text.
func binaryText(read func(*cursor) ([]byte, error)) decodeFunc {
	return func(c *cursor, b *document.Builder) error {
		bytes, err := read(c)
		if err != nil {
			return err
		}
		c.scratch = base64.StdEncoding.AppendEncode(c.scratch[:0], bytes)
		b.Text(c.scratch)
		return nil
	}
}

func decimalOf(
	w, r hamba.Schema, logical *hamba.DecimalLogicalSchema, read func(*cursor) ([]byte, error),
) (decodeFunc, error) {
	if written, ok := decimal(w); ok && written.Scale() != logical.Scale() {
		return nil, mismatch(w, r) // the digits would be read, and the point be put in the wrong place
	}
	scale, precision := logical.Scale(), logical.Precision()
	return func(c *cursor, b *document.Builder) error {
		bytes, err := read(c)
		if err != nil {
			return err
		}
		if c.scratch, err = appendDecimal(c.scratch[:0], bytes, scale, precision); err != nil {
			return err
		}
		b.Text(c.scratch)
		return nil
	}, nil
}

func fixed(w *hamba.FixedSchema, r hamba.Schema) (decodeFunc, error) {
	size := w.Size()
	read := func(c *cursor) ([]byte, error) { return c.take(size) }
	if logical, ok := decimal(r); ok {
		return decimalOf(w, r, logical, read)
	}
	return binaryText(read), nil
}

// enum reads a symbol of the writer; one that the reader lacks becomes the reader's default.
func enum(w, r *hamba.EnumSchema) decodeFunc {
	symbols := slices.Clone(w.Symbols())
	for i, symbol := range symbols {
		if !slices.Contains(r.Symbols(), symbol) {
			symbols[i] = r.Default() // empty, which no symbol is, if there is none
		}
	}
	return func(c *cursor, b *document.Builder) error {
		index, err := c.int()
		if err != nil {
			return err
		}
		if index < 0 || index >= int64(len(symbols)) || symbols[index] == "" {
			return errSymbol
		}
		b.String(symbols[index])
		return nil
	}
}
