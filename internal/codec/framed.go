package codec

import (
	"context"
	"fmt"

	"streamer/internal/codec/registry"
	"streamer/internal/document"
)

// framedJSON reads JSON behind a header. The registry is not asked: a JSON Schema does not say how bytes are read.
type framedJSON struct{}

func (framedJSON) Decode(_ context.Context, d *document.Document, data []byte) error {
	d.Reset()
	if data == nil {
		return nil
	}
	_, body, err := splitHeader(data)
	if err != nil {
		return err
	}
	return d.Parse(body)
}

// subject is where the registry keeps the schema of what is written.
type subject struct {
	registry *registry.Client
	name     string
	source   *registry.Source
	register bool
	indexes  []byte // what stands behind the header: the place of a Protobuf message
}

// framedEncoder writes a header in front of what next writes.
type framedEncoder struct {
	*subject
	next  Encoder
	id    int32
	known bool // id is set
}

func (f *framedEncoder) Append(ctx context.Context, dst []byte, d *document.Document, n document.Node) ([]byte, error) {
	if !f.known {
		id, err := f.registry.ID(ctx, f.name, f.source, f.register)
		if err != nil {
			return dst, fmt.Errorf("find the schema's id: %w", err)
		}
		f.id, f.known = id, true
	}
	out, err := f.next.Append(ctx, append(appendHeader(dst, f.id), f.indexes...), d, n)
	if err != nil {
		return dst, err
	}
	return out, nil
}

// framed puts a header in front of what the encoders write, if the Config says so.
func framed(c Config, use Use, l loaded, client *registry.Client, next func() Encoder) func() Encoder {
	if !c.framed(use) {
		return next
	}
	shared := &subject{registry: client, name: c.subject(use), source: l.source, register: c.Register}
	if c.Format == formatProtobuf {
		shared.indexes = appendIndexes(nil, l.message.Path())
	}
	return func() Encoder { return &framedEncoder{subject: shared, next: next()} }
}
