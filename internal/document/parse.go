package document

import (
	"fmt"
	"math"
	"slices"
	"unicode/utf8"
)

// SyntaxError says where and why text is not JSON. It never quotes the text.
type SyntaxError struct {
	Offset  int // in bytes
	Problem string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("invalid JSON at byte %d: %s", e.Offset, e.Problem)
}

// parser reads one text. A method that reads something returns the offset behind it, or -1 after it has noted what is
// wrong.
type parser struct {
	src      []byte
	entries  []entry
	depth    int
	quiet    bool   // what is read is checked and not noted
	nonASCII uint64 // has a high bit set if any string byte may be beyond ASCII
	problem  string
	at       int
}

// Parse reads src, which must be exactly one JSON value (RFC 8259) in valid UTF-8, nested at most MaxDepth deep. The
// document refers to src until the next Parse or Reset. Any error is a *SyntaxError, and leaves the document empty.
func (d *Document) Parse(src []byte) error { return d.parse(src, nil) }

func (d *Document) parse(src []byte, names *Names) error {
	d.src = nil
	if len(src) > math.MaxUint32 {
		return &SyntaxError{Problem: "value is larger than 4 GiB"}
	}
	p := parser{src: src, entries: d.entries[:0]}
	i := p.space(0)
	if names != nil && i < len(src) && src[i] == '{' {
		i = p.fields(i, names, d.guesses)
	} else {
		i = p.value(i)
	}
	d.entries = p.entries
	if i >= 0 {
		if i = p.space(i); i != len(src) {
			p.fail(i, "more text after the value")
		}
	}
	if p.problem == "" && p.nonASCII&highBits != 0 {
		p.checkUTF8()
	}
	if p.problem != "" {
		d.entries = d.entries[:0]
		return &SyntaxError{Offset: p.at, Problem: p.problem}
	}
	d.src = src
	return nil
}

func (p *parser) fail(at int, problem string) int {
	if p.problem == "" {
		p.at, p.problem = at, problem
	}
	return -1
}

func (p *parser) checkUTF8() {
	for i := 0; i < len(p.src); {
		r, size := utf8.DecodeRune(p.src[i:])
		if r == utf8.RuneError && size == 1 {
			p.fail(i, "bytes are not valid UTF-8")
			return
		}
		i += size
	}
}

// space skips white space, of which most texts have none: it is small enough to become a part of its callers.
func (p *parser) space(i int) int {
	if i < len(p.src) && p.src[i] <= ' ' {
		return p.spaces(i)
	}
	return i
}

func (p *parser) spaces(i int) int {
	for i < len(p.src) {
		switch p.src[i] {
		case ' ', '\t', '\n', '\r':
			i++
		default:
			return i
		}
	}
	return i
}

func (p *parser) value(i int) int {
	if i >= len(p.src) {
		return p.fail(i, "text ends where a value should be")
	}
	switch c := p.src[i]; c {
	case '{':
		return p.object(i)
	case '[':
		return p.array(i)
	case '"':
		return p.text(i)
	case 't':
		return p.literal(i, "true", True)
	case 'f':
		return p.literal(i, "false", False)
	case 'n':
		return p.literal(i, "null", Null)
	default:
		if c == '-' || isDigit(c) {
			return p.number(i)
		}
		return p.fail(i, "no value starts with this character")
	}
}

func (p *parser) literal(i int, word string, kind Kind) int {
	end := i + len(word)
	if end > len(p.src) || string(p.src[i:end]) != word {
		return p.fail(i, "no value starts like this")
	}
	p.add(i, end, kind)
	return end
}

// add appends a scalar to the tape. It is called for every value: append, which may have to move all entries, costs half
// as much again here.
func (p *parser) add(start, end int, kind Kind) {
	if p.quiet {
		return
	}
	n := len(p.entries)
	if n == cap(p.entries) {
		p.entries = slices.Grow(p.entries, max(n, 16))
	}
	p.entries = p.entries[:n+1]
	p.entries[n] = entry{start: uint32(start), end: uint32(end), next: uint32(n + 1), kind: kind}
}

// open appends an array or object and returns its place on the tape, or -1 if it is nested too deep.
func (p *parser) open(i int, kind Kind) int {
	if p.depth++; p.depth > MaxDepth {
		return p.fail(i, fmt.Sprintf("arrays and objects are nested more than %d deep", MaxDepth))
	}
	p.add(i, i, kind)
	return len(p.entries) - 1
}

// close completes the entry at place, whose last byte is at i, and returns the offset behind it.
func (p *parser) close(place, i int) int {
	p.depth--
	if p.quiet {
		return i + 1
	}
	p.entries[place].end = uint32(i + 1)
	p.entries[place].next = uint32(len(p.entries))
	return i + 1
}

func (p *parser) object(i int) int {
	place := p.open(i, Object)
	if place < 0 {
		return -1
	}
	if i = p.space(i + 1); i < len(p.src) && p.src[i] == '}' {
		return p.close(place, i)
	}
	for {
		if i >= len(p.src) || p.src[i] != '"' {
			return p.fail(i, `expected '"' of a field name`)
		}
		if i = p.text(i); i < 0 {
			return -1
		}
		if i = p.space(i); i >= len(p.src) || p.src[i] != ':' {
			return p.fail(i, "expected ':' after a field name")
		}
		if i = p.value(p.space(i + 1)); i < 0 {
			return -1
		}
		i = p.space(i)
		switch {
		case i < len(p.src) && p.src[i] == ',':
			i = p.space(i + 1)
		case i < len(p.src) && p.src[i] == '}':
			return p.close(place, i)
		default:
			return p.fail(i, "expected ',' or '}' after a field")
		}
	}
}

func (p *parser) array(i int) int {
	place := p.open(i, Array)
	if place < 0 {
		return -1
	}
	if i = p.space(i + 1); i < len(p.src) && p.src[i] == ']' {
		return p.close(place, i)
	}
	for {
		if i = p.value(i); i < 0 {
			return -1
		}
		i = p.space(i)
		switch {
		case i < len(p.src) && p.src[i] == ',':
			i = p.space(i + 1)
		case i < len(p.src) && p.src[i] == ']':
			return p.close(place, i)
		default:
			return p.fail(i, "expected ',' or ']' after an element")
		}
	}
}

func (p *parser) number(start int) int {
	i, kind := start, Integer
	if p.src[i] == '-' {
		i++
	}
	first := i
	if i = p.digits(i); i == first || p.src[first] == '0' && i > first+1 {
		return p.fail(start, "malformed number")
	}
	if i < len(p.src) && p.src[i] == '.' {
		kind, first = Float, i+1
		if i = p.digits(first); i == first {
			return p.fail(start, "malformed number")
		}
	}
	if i < len(p.src) && p.src[i]|0x20 == 'e' {
		kind, first = Float, i+1
		if first < len(p.src) && (p.src[first] == '+' || p.src[first] == '-') {
			first++
		}
		if i = p.digits(first); i == first {
			return p.fail(start, "malformed number")
		}
	}
	p.add(start, i, kind)
	return i
}

func (p *parser) digits(i int) int {
	for i < len(p.src) && isDigit(p.src[i]) {
		i++
	}
	return i
}

func isDigit(c byte) bool { return c-'0' <= 9 }
