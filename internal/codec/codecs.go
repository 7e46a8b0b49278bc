package codec

import (
	"context"
	"errors"

	"streamer/internal/codec/avro"
	"streamer/internal/codec/registry"
	"streamer/internal/document"
)

// Decoder reads the bytes of a key or a value into a document. It belongs to one goroutine.
type Decoder interface {
	// Decode fills d, which may refer to data until it is filled again. Nil data (a tombstone, a record without a key) gives
	// an empty document. It waits for a registry that is down, until ctx ends; any other error is one of this record and
	// holds no payload.
	Decode(ctx context.Context, d *document.Document, data []byte) error
}

// Encoder writes a node of a document as the bytes of a key or a value. It belongs to one goroutine.
type Encoder interface {
	// Append appends the node n of d to dst. On an error it returns dst as it was. It waits for a registry that is down,
	// until ctx ends; any other error is one of this record and holds no payload.
	Append(ctx context.Context, dst []byte, d *document.Document, n document.Node) ([]byte, error)
}

// NewDecoder compiles the schema that c names and returns a function that makes decoders, cheaply and from any goroutine.
// c must be valid for use. reg may be nil if none is configured.
func NewDecoder(c Config, use Use, _ *registry.Client) (func() Decoder, error) {
	switch c.format() {
	case formatRaw:
		return func() Decoder { return rawDecoder{} }, nil
	case formatString:
		return func() Decoder { return stringDecoder{} }, nil
	case formatJSON:
		return func() Decoder { return jsonDecoder{framed: c.framed(use)} }, nil
	case formatAvro:
		schema, err := avroFile(c.Schema)
		if err != nil {
			return nil, err
		}
		program, err := avro.NewDecoder(schema, nil)
		if err != nil {
			return nil, err
		}
		return func() Decoder { return &avroDecoder{program: program, framed: c.framed(use)} }, nil
	}
	return nil, errors.ErrUnsupported
}

// NewEncoder compiles the schema that c names and returns a function that makes encoders, cheaply and from any goroutine.
// c must be valid for use. reg may be nil if none is configured.
func NewEncoder(c Config, _ Use, _ *registry.Client) (func() Encoder, error) {
	switch c.format() {
	case formatRaw, formatString:
		return func() Encoder { return textEncoder{} }, nil
	case formatJSON:
		return func() Encoder { return jsonEncoder{} }, nil
	case formatAvro:
		schema, err := avroFile(c.Schema)
		if err != nil {
			return nil, err
		}
		program, err := avro.NewEncoder(schema)
		if err != nil {
			return nil, err
		}
		return func() Encoder { return &avroEncoder{program: program} }, nil
	}
	return nil, errors.ErrUnsupported
}
