package protobuf

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/reflect/protoreflect"
)

const (
	// maxSchema bounds the text of a schema; a registry keeps schemas in Kafka records of at most 1 MiB.
	maxSchema = 4 << 20
	// maxNesting bounds brackets in a schema: the compiler is recursive.
	maxNesting = 256
)

// File is a compiled schema.
type File struct {
	Name    string
	Text    string
	Imports []*File // those that are not part of Protocol Buffers itself

	desc protoreflect.FileDescriptor
}

// ReadFile compiles a .proto file. What it imports is looked for in the directories imports, and beside it.
func ReadFile(path string, imports []string) (*File, error) {
	name, dirs := filepath.Base(path), append(slices.Clone(imports), filepath.Dir(path))
	for _, dir := range imports { // files of the directory may import this one, by its path from there
		if below, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(below) {
			name = filepath.ToSlash(below)
			break
		}
	}
	return compile(name, func(name string) (string, error) {
		for _, dir := range dirs {
			text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
			if err == nil || !errors.Is(err, fs.ErrNotExist) {
				return string(text), err
			}
		}
		return "", fs.ErrNotExist
	})
}

// Parse compiles a schema that imports others by the names under which they are given.
func Parse(text string, imports map[string]string) (*File, error) {
	const root = "schema.proto"
	return compile(root, func(name string) (string, error) {
		if text, ok := imports[name]; ok {
			return text, nil
		}
		if name == root {
			return text, nil
		}
		return "", fs.ErrNotExist
	})
}

// sources reads files once and remembers them. The compiler asks from several goroutines.
type sources struct {
	read  func(name string) (string, error)
	mu    sync.Mutex // guards texts
	texts map[string]string
}

func (s *sources) find(name string) (protocompile.SearchResult, error) {
	text, err := s.read(name)
	if err != nil {
		return protocompile.SearchResult{}, err
	}
	if len(text) > maxSchema {
		return protocompile.SearchResult{}, errors.New("schema is larger than 4 MiB")
	}
	if nesting(text) > maxNesting {
		return protocompile.SearchResult{}, fmt.Errorf("schema has brackets nested more than %d deep", maxNesting)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.texts[name] = text
	return protocompile.SearchResult{Source: strings.NewReader(text)}, nil
}

func nesting(text string) int {
	depth, most := 0, 0
	for i := range len(text) {
		switch text[i] {
		case '{', '[', '(', '<':
			depth++
			most = max(most, depth)
		case '}', ']', ')', '>':
			depth = max(0, depth-1)
		}
	}
	return most
}

func compile(name string, read func(name string) (string, error)) (*File, error) {
	s := &sources{read: read, texts: map[string]string{}}
	compiler := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(protocompile.ResolverFunc(s.find)),
		MaxParallelism: 1,
	}
	files, err := compiler.Compile(context.Background(), name)
	if err != nil {
		if panicked, ok := errors.AsType[protocompile.PanicError](err); ok {
			return nil, fmt.Errorf("malformed schema %s", panicked.File) // the error holds a stack
		}
		return nil, err //nolint:wrapcheck // says file, line and column
	}
	return s.file(files[0], map[string]*File{}), nil
}

// file gathers a file with its imports; one that is imported twice is the same File.
func (s *sources) file(desc protoreflect.FileDescriptor, seen map[string]*File) *File {
	if known := seen[desc.Path()]; known != nil {
		return known
	}
	f := &File{Name: desc.Path(), Text: s.texts[desc.Path()], desc: desc}
	seen[desc.Path()] = f
	for i := range desc.Imports().Len() {
		imported := desc.Imports().Get(i)
		if _, ours := s.texts[imported.Path()]; ours {
			f.Imports = append(f.Imports, s.file(imported.FileDescriptor, seen))
		}
	}
	return f
}

// Message is a message of a schema.
type Message struct {
	desc protoreflect.MessageDescriptor
}

// Message finds a message by its full name, in the file or in what it imports. An empty name is the only message at the
// top of the file.
func (f *File) Message(name string) (Message, error) {
	top := f.desc.Messages()
	if name == "" {
		if top.Len() == 1 {
			return Message{top.Get(0)}, nil
		}
		return Message{}, fmt.Errorf("is missing, the schema has %s", f.choice())
	}
	if found := f.find(protoreflect.FullName(name), map[*File]bool{}); found != nil {
		return Message{found}, nil
	}
	return Message{}, fmt.Errorf("is not in the schema, which has %s", f.choice())
}

// choice lists the messages at the top of the file.
func (f *File) choice() string {
	const most = 10
	var names []string
	for i := range f.desc.Messages().Len() {
		if i == most {
			names = append(names, "…")
			break
		}
		names = append(names, string(f.desc.Messages().Get(i).FullName()))
	}
	if len(names) == 0 {
		return "no message"
	}
	return strings.Join(names, ", ")
}

func (f *File) find(name protoreflect.FullName, seen map[*File]bool) protoreflect.MessageDescriptor {
	if seen[f] {
		return nil
	}
	seen[f] = true
	if found := findMessage(f.desc.Messages(), name); found != nil {
		return found
	}
	for _, imported := range f.Imports {
		if found := imported.find(name, seen); found != nil {
			return found
		}
	}
	return nil
}

func findMessage(messages protoreflect.MessageDescriptors, name protoreflect.FullName) protoreflect.MessageDescriptor {
	for i := range messages.Len() {
		message := messages.Get(i)
		if message.FullName() == name {
			return message
		}
		if found := findMessage(message.Messages(), name); found != nil {
			return found
		}
	}
	return nil
}

// MessageAt finds a message by its place: that of a message at the top of the file, then of one inside, and so on.
func (f *File) MessageAt(path []int) (Message, error) {
	messages := f.desc.Messages()
	var found protoreflect.MessageDescriptor
	for _, index := range path {
		if index < 0 || index >= messages.Len() {
			found = nil
			break
		}
		found = messages.Get(index)
		messages = found.Messages()
	}
	if found == nil {
		return Message{}, errors.New("schema has no message at the place that the value names")
	}
	return Message{found}, nil
}

// Name is the full name.
func (m Message) Name() string { return string(m.desc.FullName()) }

// Path is the place of the message in its file, as [File.MessageAt] takes it.
func (m Message) Path() []int {
	var path []int
	for desc := protoreflect.Descriptor(m.desc); ; desc = desc.Parent() {
		if _, ok := desc.(protoreflect.MessageDescriptor); !ok {
			slices.Reverse(path)
			return path
		}
		path = append(path, desc.Index())
	}
}

// In reports whether the message is one of the file itself, not of an import.
func (m Message) In(f *File) bool { return m.desc.ParentFile().Path() == f.desc.Path() }
