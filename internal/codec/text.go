package codec

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

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
	d.Reset()
	if data == nil {
		return nil
	}
	if err := CheckText(data); err != nil {
		return err
	}
	d.SetText(data)
	return nil
}

type jsonDecoder struct{}

func (jsonDecoder) Decode(_ context.Context, d *document.Document, data []byte) error {
	d.Reset()
	if data == nil {
		return nil
	}
	return d.Parse(data)
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

// CheckText reports where text stops being UTF-8.
func CheckText(text []byte) error {
	if utf8.Valid(text) {
		return nil
	}
	at := 0
	for at < len(text) {
		r, size := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	return fmt.Errorf("invalid UTF-8 at byte %d", at)
}
