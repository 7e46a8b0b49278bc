package codec

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"streamer/internal/codec/avro"
	"streamer/internal/codec/protobuf"
	"streamer/internal/codec/registry"
	"streamer/internal/document"
)

// loaded is the schema file of a Config, read and compiled; without one all is nil.
type loaded struct {
	avro    *avro.Schema
	file    *protobuf.File
	message protobuf.Message // if named, or the only one
	named   bool
	source  *registry.Source // what is registered
}

// settingError is what is wrong with one setting of a Config.
type settingError struct {
	key, value string
	err        error
}

func (e *settingError) Error() string { return fmt.Sprintf("%s %s %v", e.key, e.value, e.err) }

func (e *settingError) Unwrap() error { return e.err }

// load reads the schema file. Any error is a *settingError.
func (c Config) load(use Use) (loaded, error) {
	var l loaded
	if c.Schema == "" {
		return l, nil
	}
	var err error
	switch c.Format {
	case formatAvro:
		err = l.loadAvro(c, use)
	case formatProtobuf:
		return l, l.loadProtobuf(c, use)
	case formatJSON:
		err = l.loadJSON(c)
	}
	if err != nil {
		return l, &settingError{"schema", c.Schema, err}
	}
	return l, nil
}

func (l *loaded) loadAvro(c Config, use Use) error {
	text, err := readFile(c.Schema)
	if err != nil {
		return err
	}
	if l.avro, err = avro.Parse(text); err != nil {
		return fmt.Errorf("is not an Avro schema: %w", err)
	}
	if use.Encode {
		_, err = avro.NewEncoder(l.avro)
	} else {
		_, err = avro.NewDecoder(l.avro, nil)
	}
	if err != nil {
		return fmt.Errorf("is not an Avro schema: %w", err)
	}
	l.source = &registry.Source{Type: registry.Avro, Text: text}
	return nil
}

func (l *loaded) loadProtobuf(c Config, use Use) error {
	file, err := protobuf.ReadFile(c.Schema, c.Imports)
	if err != nil {
		return &settingError{"schema", c.Schema, fmt.Errorf("is not a Protobuf schema: %w", err)}
	}
	l.file = file
	source := sourceOf(file)
	l.source = &source
	if c.Message == "" && !use.Encode && c.framed(use) {
		return nil // the value says which message it is
	}
	if l.message, err = file.Message(c.Message); err != nil {
		return &settingError{"message", c.Message, err}
	}
	if c.framed(use) && !l.message.In(file) {
		return &settingError{"message", c.Message, errImported}
	}
	l.named = true
	return nil
}

var errImported = errors.New("is in an import, which the framing cannot say; write the file that has it into schema")

func (l *loaded) loadJSON(c Config) error {
	text, err := readFile(c.Schema)
	if err != nil {
		return err
	}
	var d document.Document
	if err := d.Parse([]byte(text)); err != nil {
		return fmt.Errorf("is not a JSON Schema: %w", err)
	}
	l.source = &registry.Source{Type: registry.JSON, Text: text}
	return nil
}

func sourceOf(file *protobuf.File) registry.Source {
	source := registry.Source{Type: registry.Protobuf, Text: file.Text}
	for _, imported := range file.Imports {
		source.Imports = append(source.Imports, registry.Import{Name: imported.Name, Source: sourceOf(imported)})
	}
	return source
}

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
