package codec

import (
	"context"
	"errors"

	"streamer/internal/document"
)

// rawDecoder looks at nothing: the document is empty.
type rawDecoder struct{}

func (rawDecoder) Decode(_ context.Context, d *document.Document, _ []byte) error {
	d.Reset()
	return nil
}

type stringDecoder struct{}

func (stringDecoder) Decode(_ context.Context, d *document.Document, data []byte) error {
	return String.Decode(d, data)
}

type jsonDecoder struct{}

func (jsonDecoder) Decode(_ context.Context, d *document.Document, data []byte) error {
	return JSON.Decode(d, data)
}

var errNoText = errors.New("encode string: an array, an object or null has no text; write it as json")

// textEncoder writes a string as it is, and a number or a truth value as JSON writes it.
type textEncoder struct{}

func (textEncoder) Append(_ context.Context, dst []byte, d *document.Document, n document.Node) ([]byte, error) {
	switch d.Kind(n) {
	case document.String:
		return append(dst, d.Text(n)...), nil
	case document.True, document.False, document.Integer, document.Float:
		return d.Append(dst, n), nil
	case document.Missing, document.Null, document.Array, document.Object:
	}
	return dst, errNoText
}

// jsonEncoder writes JSON without white space; a missing node is null.
type jsonEncoder struct{}

func (jsonEncoder) Append(_ context.Context, dst []byte, d *document.Document, n document.Node) ([]byte, error) {
	return d.Append(dst, n), nil
}
