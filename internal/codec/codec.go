// Package codec turns the bytes of a record's value into a document and says which bytes are valid in a format. Its
// errors never hold payload. Formats with schemas (Avro, Protobuf) and a format for the key have their place here.
package codec

import (
	"fmt"
	"unicode/utf8"

	"streamer/internal/document"
)

// Format is how a value is written.
type Format uint8

// The formats.
const (
	Raw    Format = iota // bytes that nothing looks into
	String               // UTF-8 text
	JSON                 // one JSON value (RFC 8259) in UTF-8
)

// Names lists the formats as the configuration writes them, in the order of their values.
func Names() []string { return []string{"raw", "string", "json"} }

// Parse finds a format by its name.
func Parse(name string) (Format, bool) {
	for i, known := range Names() {
		if known == name {
			return Format(i), true
		}
	}
	return Raw, false
}

func (f Format) String() string { return Names()[f] }

// Decode reads value into d, which refers to it until it decodes again. A nil value (a tombstone) and every Raw value
// give an empty document.
func (f Format) Decode(d *document.Document, value []byte) error {
	d.Reset()
	switch {
	case value == nil || f == Raw:
		return nil
	case f == JSON:
		return d.Parse(value)
	}
	if err := CheckText(value); err != nil {
		return err
	}
	d.SetText(value)
	return nil
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
