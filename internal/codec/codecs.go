// Package codec turns the bytes of a record's key or value into a document and back: raw, string, json, avro and protobuf,
// with schemas from files or from a registry. Its errors never hold payload.
package codec

import (
	"context"
	"errors"

	"streamer/internal/codec/avro"
	"streamer/internal/codec/protobuf"
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
// c must be valid for use. client may be nil if no registry is configured.
func NewDecoder(c Config, use Use, client *registry.Client) (func() Decoder, error) {
	l, err := c.load(use)
	if err != nil {
		return nil, err
	}
	if c.hasSchema() && l.source == nil && (!c.framed(use) || client == nil) {
		return nil, errNoSchema
	}
	switch c.format() {
	case formatRaw:
		return func() Decoder { return rawDecoder{} }, nil
	case formatString:
		return func() Decoder { return stringDecoder{} }, nil
	case formatJSON:
		if c.framed(use) {
			return func() Decoder { return framedJSON{} }, nil
		}
		return func() Decoder { return jsonDecoder{} }, nil
	case formatAvro:
		return avroDecoders(c, use, l, client)
	case formatProtobuf:
		return protobufDecoders(c, use, l, client), nil
	}
	return nil, errFormat
}

// NewEncoder compiles the schema that c names and returns a function that makes encoders, cheaply and from any goroutine.
// c must be valid for use. client may be nil if no registry is configured. The schema is looked up, or registered, when
// the first value is written.
func NewEncoder(c Config, use Use, client *registry.Client) (func() Encoder, error) {
	l, err := c.load(use)
	if err != nil {
		return nil, err
	}
	if c.hasSchema() && l.source == nil {
		return nil, errNoSchema
	}
	if c.framed(use) && client == nil {
		return nil, errNoRegistry
	}
	switch c.format() {
	case formatRaw, formatString:
		return func() Encoder { return textEncoder{} }, nil
	case formatJSON:
		return framed(c, use, l, client, func() Encoder { return jsonEncoder{} }), nil
	case formatAvro:
		program, err := avro.NewEncoder(l.avro)
		if err != nil {
			return nil, err
		}
		return framed(c, use, l, client, func() Encoder { return &avroEncoder{program: program} }), nil
	case formatProtobuf:
		program := protobuf.NewEncoder(l.message)
		return framed(c, use, l, client, func() Encoder { return &protobufEncoder{program: program} }), nil
	}
	return nil, errFormat
}

// What Validate says better.
var (
	errFormat     = errors.New("unknown format")
	errNoSchema   = errors.New("schema is missing")
	errNoRegistry = errors.New("framing needs a schema registry")
)
