package codec

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"streamer/internal/codec/avro"
	"streamer/internal/document"
)

// readFile reads a schema file; the error does not name it.
func readFile(path string) (string, error) {
	text, err := os.ReadFile(path)
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		err = pathErr.Err
	}
	if err != nil {
		return "", fmt.Errorf("cannot be read: %w", err)
	}
	return string(text), nil
}

func avroFile(path string) (*avro.Schema, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, err
	}
	schema, err := avro.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("is not an Avro schema: %w", err)
	}
	return schema, nil
}

// avroDecoder reads values of one writer's schema.
type avroDecoder struct {
	program *avro.Decoder
	state   avro.State
	framed  bool // a header stands in front, whose id says nothing new
}

func (a *avroDecoder) Decode(_ context.Context, d *document.Document, data []byte) error {
	d.Reset()
	if data == nil {
		return nil
	}
	if a.framed {
		_, body, err := splitHeader(data)
		if err != nil {
			return err
		}
		data = body
	}
	if err := a.program.Decode(&a.state, d, data); err != nil {
		return fmt.Errorf("invalid avro: %w", err)
	}
	return nil
}

// avroEncoder writes values of one schema, without a header.
type avroEncoder struct {
	program *avro.Program
	state   avro.Encoder
}

func (a *avroEncoder) Append(_ context.Context, dst []byte, d *document.Document, n document.Node) ([]byte, error) {
	out, err := a.program.Append(&a.state, dst, d, n)
	if err != nil {
		return dst, fmt.Errorf("encode avro: %w", err)
	}
	return out, nil
}
