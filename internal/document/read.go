package document

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Int returns an Integer that fits 64 bits; ok is false for anything else.
func (d *Document) Int(n Node) (value int64, ok bool) {
	if d.Kind(n) != Integer {
		return 0, false
	}
	raw := d.raw(n)
	negative := raw[0] == '-'
	if negative {
		raw = raw[1:]
	}
	if len(raw) > 18 {
		value, err := strconv.ParseInt(string(d.raw(n)), 10, 64)
		return value, err == nil
	}
	for _, c := range raw {
		value = value*10 + int64(c-'0')
	}
	if negative {
		value = -value
	}
	return value, true
}

// Float returns a number as the nearest float64; one beyond its range becomes ±Inf. It returns 0 for anything else.
func (d *Document) Float(n Node) float64 {
	if kind := d.Kind(n); kind != Integer && kind != Float {
		return 0
	}
	value, _ := strconv.ParseFloat(string(d.raw(n)), 64) // the grammar is checked; what is left is out of range: ±Inf
	return value
}

// Digits returns the text of a number as it stands in the source; nil for anything else. It is valid as long as the
// document and must not be changed.
func (d *Document) Digits(n Node) []byte {
	if kind := d.Kind(n); kind != Integer && kind != Float {
		return nil
	}
	return d.raw(n)
}

// Text returns a String's bytes without escapes; nil for anything else. They are valid until the next call or Parse,
// and must not be changed.
func (d *Document) Text(n Node) []byte {
	if d.Kind(n) != String {
		return nil
	}
	raw := d.raw(n)
	if !d.entries[n].escaped {
		return raw
	}
	return d.unescaped(raw)
}

// IsText reports whether the node is a String that stands for text.
func (d *Document) IsText(n Node, text string) bool {
	return d.Kind(n) == String && string(d.Text(n)) == text
}

// Source returns the value as it stands in the JSON text that was parsed; nil for a missing one and in a document that was
// not parsed. It must not be changed.
func (d *Document) Source(n Node) []byte {
	if d.Kind(n) == Missing || d.entries[n].verbatim {
		return nil
	}
	e := &d.entries[n]
	if e.kind == String {
		return d.src[e.start-1 : e.end+1] // with its quotes
	}
	return d.src[e.start:e.end]
}

// TextIn is Text for a caller who holds several texts at the same time: text with escapes is written behind arena, any
// other refers to the document. It returns the arena as it then stands, and writes nothing into the document itself.
func (d *Document) TextIn(arena []byte, n Node) (text, grown []byte) {
	if d.Kind(n) != String {
		return nil, arena
	}
	if !d.entries[n].escaped {
		return d.raw(n), arena
	}
	start := len(arena)
	arena = unescape(arena, d.raw(n))
	return arena[start:], arena
}

// Length returns how many elements an array has; 0 for anything else.
func (d *Document) Length(n Node) int {
	if d.Kind(n) != Array {
		return 0
	}
	return d.length(n)
}

// Go returns the value as Go's nil, bool, int, float64, string, []any or map[string]any, which share no memory with the
// document. An Integer beyond 64 bits becomes a float64. Of a repeated name the last value counts.
func (d *Document) Go(n Node) any {
	switch d.Kind(n) {
	case False:
		return false
	case True:
		return true
	case Integer:
		if value, ok := d.Int(n); ok {
			return int(value)
		}
		return d.Float(n)
	case Float:
		return d.Float(n)
	case String:
		return string(d.Text(n))
	case Array:
		list := make([]any, 0, d.length(n))
		for i, end := uint32(n)+1, d.entries[n].next; i < end; i = d.entries[i].next {
			list = append(list, d.Go(Node(i)))
		}
		return list
	case Object:
		object := make(map[string]any)
		for i, end := uint32(n)+1, d.entries[n].next; i < end; i = d.entries[i+1].next {
			name := string(d.Text(Node(i))) // before the value's own escapes overwrite it
			object[name] = d.Go(Node(i + 1))
		}
		return object
	case Missing, Null:
	}
	return nil
}

// unescape appends the string that raw, which the parser has checked, stands for. Half of a surrogate pair becomes
// U+FFFD, as in encoding/json.
func unescape(dst, raw []byte) []byte {
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			dst = append(dst, raw[i])
			i++
			continue
		}
		c := raw[i+1]
		i += 2
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			var r rune
			r, i = unescapeRune(raw, i)
			dst = utf8.AppendRune(dst, r)
			continue
		}
		dst = append(dst, c)
	}
	return dst
}

// unescapeRune reads the four digits at i, and a second escape if both make a surrogate pair.
func unescapeRune(raw []byte, i int) (r rune, next int) {
	r, next = hex4(raw[i:i+4]), i+4
	if !utf16.IsSurrogate(r) {
		return r, next
	}
	if next+6 <= len(raw) && raw[next] == '\\' && raw[next+1] == 'u' {
		if pair := utf16.DecodeRune(r, hex4(raw[next+2:next+6])); pair != utf8.RuneError {
			return pair, next + 6
		}
	}
	return utf8.RuneError, next
}

// hex4 reads four hexadecimal digits; -1 if they are not.
func hex4(digits []byte) rune {
	var r rune
	for _, c := range digits {
		switch {
		case isDigit(c):
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}
