package codec

import (
	"context"
	"fmt"

	"streamer/internal/codec/avro"
	"streamer/internal/codec/registry"
	"streamer/internal/document"
)

// avroDecoders makes decoders of values of one writer's schema, or of those that a registry names.
func avroDecoders(c Config, use Use, l loaded, client *registry.Client) (func() Decoder, error) {
	framed := c.framed(use)
	if framed && client != nil {
		shared := newPrograms(client, func(schema *registry.Schema) (*avro.Decoder, error) {
			return compileAvro(schema, l.avro)
		})
		return func() Decoder { return &avroDecoder{programs: shared, framed: true} }, nil
	}
	program, err := avro.NewDecoder(l.avro, nil)
	if err != nil {
		return nil, err
	}
	return func() Decoder { return &avroDecoder{program: program, framed: framed} }, nil
}

// compileAvro compiles a writer's schema against a reader's, which may be nil.
func compileAvro(schema *registry.Schema, reader *avro.Schema) (*avro.Decoder, error) {
	if err := wrongType(schema, registry.Avro); err != nil {
		return nil, err
	}
	references := make([]string, len(schema.References))
	for i, reference := range schema.References {
		references[i] = reference.Text
	}
	writer, err := avro.Parse(schema.Text, references...)
	if err != nil {
		return nil, err
	}
	return avro.NewDecoder(writer, reader)
}

type avroDecoder struct {
	programs *programs[*avro.Decoder] // nil if the schema is the same for all
	program  *avro.Decoder            // of the schema id
	id       int32
	framed   bool
	state    avro.State
}

func (a *avroDecoder) Decode(ctx context.Context, d *document.Document, data []byte) error {
	d.Reset()
	if data == nil {
		return nil
	}
	if a.framed {
		id, body, err := splitHeader(data)
		if err != nil {
			return err
		}
		if err := a.choose(ctx, id); err != nil {
			return err
		}
		data = body
	}
	if err := a.program.Decode(&a.state, d, data); err != nil {
		return fmt.Errorf("invalid avro: %w", err)
	}
	return nil
}

// choose takes the program of a schema; records that follow each other mostly have the same.
func (a *avroDecoder) choose(ctx context.Context, id int32) error {
	if a.programs == nil || a.program != nil && a.id == id {
		return nil
	}
	program, err := a.programs.get(ctx, id)
	if err != nil {
		return err
	}
	a.program, a.id = program, id
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
