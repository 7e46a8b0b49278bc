package codec

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"streamer/internal/codec/protobuf"
	"streamer/internal/codec/registry"
	"streamer/internal/document"
)

// protobufDecoders makes decoders of one message, or of those that the values name: in the file, or in a registry's schema.
func protobufDecoders(c Config, use Use, l loaded, client *registry.Client) func() Decoder {
	if !c.framed(use) {
		program := protobuf.NewDecoder(l.message)
		return func() Decoder { return &protobufDecoder{program: program} }
	}
	if l.file != nil {
		messages := newMessages(l.file, c.Message)
		return func() Decoder { return &protobufDecoder{messages: messages, framed: true, known: true} }
	}
	shared := newPrograms(client, func(schema *registry.Schema) (*protobufMessages, error) {
		if err := wrongType(schema, registry.Protobuf); err != nil {
			return nil, err
		}
		imports := make(map[string]string, len(schema.References))
		for _, reference := range schema.References {
			imports[reference.Name] = reference.Text
		}
		file, err := protobuf.Parse(schema.Text, imports)
		if err != nil {
			return nil, err
		}
		return newMessages(file, c.Message), nil
	})
	return func() Decoder { return &protobufDecoder{programs: shared, framed: true} }
}

// protobufMessages are the messages of one file that have come so far, shared by the decoders.
type protobufMessages struct {
	file *protobuf.File
	want string // the only message that may come; empty if any may

	mu     sync.Mutex // guards byPath
	byPath map[string]*protobuf.Decoder
}

func newMessages(file *protobuf.File, want string) *protobufMessages {
	return &protobufMessages{file: file, want: want, byPath: map[string]*protobuf.Decoder{}}
}

var errOtherMessage = errors.New("value holds another message than the configuration says")

func (m *protobufMessages) get(path []int) (*protobuf.Decoder, error) {
	message, err := m.file.MessageAt(path)
	if err != nil {
		return nil, err
	}
	if m.want != "" && message.Name() != m.want {
		return nil, fmt.Errorf("%w: it is %s", errOtherMessage, message.Name())
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	known := m.byPath[message.Name()]
	if known == nil {
		known = protobuf.NewDecoder(message)
		m.byPath[message.Name()] = known
	}
	return known, nil
}

type protobufDecoder struct {
	programs *programs[*protobufMessages] // nil if the file is the same for all
	messages *protobufMessages            // of the schema id
	program  *protobuf.Decoder            // of the message at path
	id       int32
	path     []int
	spare    []int
	framed   bool
	known    bool // messages is set
	state    protobuf.State
}

func (p *protobufDecoder) Decode(ctx context.Context, d *document.Document, data []byte) error {
	d.Reset()
	if data == nil {
		return nil
	}
	if p.framed {
		id, body, err := splitHeader(data)
		if err != nil {
			return err
		}
		if data, err = p.choose(ctx, id, body); err != nil {
			return err
		}
	}
	if err := p.program.Decode(&p.state, d, data); err != nil {
		return fmt.Errorf("invalid protobuf: %w", err)
	}
	return nil
}

// choose takes the program of the message that stands behind the header, and returns what follows.
func (p *protobufDecoder) choose(ctx context.Context, id int32, data []byte) ([]byte, error) {
	path, body, err := splitIndexes(p.spare[:0], data)
	if err != nil {
		return nil, err
	}
	p.spare = path
	if p.programs != nil && (!p.known || p.id != id) {
		messages, err := p.programs.get(ctx, id)
		if err != nil {
			return nil, err
		}
		p.messages, p.id, p.known, p.program = messages, id, true, nil
	}
	if p.program == nil || !slices.Equal(p.path, path) {
		program, err := p.messages.get(path)
		if err != nil {
			return nil, err
		}
		p.program, p.path = program, append(p.path[:0], path...)
	}
	return body, nil
}

// protobufEncoder writes values of one message, without a header.
type protobufEncoder struct {
	program *protobuf.Program
	state   protobuf.Encoder
}

func (p *protobufEncoder) Append(_ context.Context, dst []byte, d *document.Document, n document.Node) ([]byte, error) {
	out, err := p.program.Append(&p.state, dst, d, n)
	if err != nil {
		return dst, fmt.Errorf("encode protobuf: %w", err)
	}
	return out, nil
}
