package document

import "iter"

// Kind is the type of a value.
type Kind uint8

// The kinds. Missing is what reading an absent field gives; an Integer is a number without fraction and exponent.
const (
	Missing Kind = iota
	Null
	False
	True
	Integer
	Float
	String
	Array
	Object
)

// Node names a value in a document; it is valid until the document parses again.
type Node int32

// None is the node of a value that is not there. Every read accepts it and answers with None or Missing.
const None Node = -1

// Root is the node of the whole value in a document that has parsed successfully.
const Root Node = 0

// MaxDepth is how many arrays and objects may be nested. Without a limit a small record could exhaust the stack of
// everything that walks the value.
const MaxDepth = 512

// maxKept is how many nodes (16 bytes each) a reused document keeps. Without it one huge record would hold its memory,
// which no budget counts, until the process ends.
const maxKept = 64 << 10

// entry is one value on the tape. The children of an array or object follow it; in an object each is a String entry for
// the name and then the value.
type entry struct {
	start, end uint32 // the value's bytes in src; for a String without the quotes
	next       uint32 // the entry after this value and all of its children
	kind       Kind
	escaped    bool // a String with backslash escapes
	verbatim   bool // a String that is not JSON text, but the string itself
}

// Document is a parsed value. The zero value is ready for Parse.
type Document struct {
	*buffers // nil until they are needed: the documents that a Pack keeps by the million never do

	src     []byte
	entries []entry
}

// buffers is memory that a document reuses.
type buffers struct {
	scratch []byte              // an unescaped string, until the next one
	built   []byte              // what a Builder wrote; src refers to it then
	guesses *[mostGuesses]guess // of ParseFields; nil until it is called
}

func (d *Document) needBuffers() {
	if d.buffers == nil {
		d.buffers = &buffers{}
	}
}

// unescaped returns the string that raw stands for. It is valid until the next one.
func (d *Document) unescaped(raw []byte) []byte {
	d.needBuffers()
	d.scratch = unescape(d.scratch[:0], raw)
	return d.scratch
}

// Reset lets go of the parsed bytes. Without it a worker would pin the last fetch it looked into.
func (d *Document) Reset() {
	d.src = nil
	if cap(d.entries) > maxKept {
		d.entries = nil
	}
	if d.buffers != nil && max(cap(d.scratch), cap(d.built)) > maxKept {
		d.buffers = nil
	}
	d.entries = d.entries[:0]
}

// Kind returns the node's type.
func (d *Document) Kind(n Node) Kind {
	if n < 0 || int(n) >= len(d.entries) {
		return Missing
	}
	return d.entries[n].kind
}

// Field returns the object's value of that name; if the name comes several times, the last. It returns None when n is
// not an object or has no such name.
func (d *Document) Field(n Node, name string) Node {
	if d.Kind(n) != Object {
		return None
	}
	found := None
	for i, end := uint32(n)+1, d.entries[n].next; i < end; i = d.entries[i+1].next {
		key := &d.entries[i]
		switch {
		case key.escaped:
			if string(d.unescaped(d.src[key.start:key.end])) == name {
				found = Node(i + 1)
			}
		case int(key.end-key.start) == len(name) && string(d.src[key.start:key.end]) == name:
			found = Node(i + 1)
		}
	}
	return found
}

// Children yields an array's elements, each with None, or an object's names, which are String nodes, with their values, in
// order. A name that is repeated comes as often as it stands there; the last one counts.
func (d *Document) Children(n Node) iter.Seq2[Node, Node] {
	return func(yield func(name, value Node) bool) {
		switch d.Kind(n) { //nolint:exhaustive // the others have no children
		case Array:
			for i, end := uint32(n)+1, d.entries[n].next; i < end; i = d.entries[i].next {
				if !yield(None, Node(i)) {
					return
				}
			}
		case Object:
			for i, end := uint32(n)+1, d.entries[n].next; i < end; i = d.entries[i+1].next {
				if !yield(Node(i), Node(i+1)) {
					return
				}
			}
		}
	}
}

// Element returns the array's element, counted from the end if index is negative: None when there is none.
func (d *Document) Element(n Node, index int) Node {
	if d.Kind(n) != Array {
		return None
	}
	if index < 0 {
		index += d.length(n)
	}
	if index < 0 {
		return None
	}
	for i, end := uint32(n)+1, d.entries[n].next; i < end; i = d.entries[i].next {
		if index == 0 {
			return Node(i)
		}
		index--
	}
	return None
}

// length counts the elements of an array.
func (d *Document) length(n Node) int {
	count := 0
	for i, end := uint32(n)+1, d.entries[n].next; i < end; i = d.entries[i].next {
		count++
	}
	return count
}

// raw returns the bytes of a scalar as they stand in the source; of a String without its quotes.
func (d *Document) raw(n Node) []byte {
	e := &d.entries[n]
	return d.src[e.start:e.end]
}

// SetText makes src, which must be valid UTF-8, the document's only value: a String that stands as it is, without
// escapes.
func (d *Document) SetText(src []byte) {
	d.src = src
	d.entries = append(d.entries[:0], entry{end: uint32(len(src)), next: 1, kind: String, verbatim: true})
}
