package expression

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"

	"streamer/internal/document"
)

func upper(f *frame, value scalar) (scalar, bool) {
	return f.mapped(value, 'a', 'z', unicode.ToUpper)
}

func lower(f *frame, value scalar) (scalar, bool) {
	return f.mapped(value, 'A', 'Z', unicode.ToLower)
}

// mapped changes the case of letters; from and to are the ASCII letters that change. As strings.Map does, it writes U+FFFD
// for bytes that are not UTF-8, unless all of the text is ASCII.
func (f *frame) mapped(value scalar, from, to byte, change func(rune) rune) (scalar, bool) {
	if value.kind != document.String {
		return scalar{}, false
	}
	start := len(f.arena)
	for i := range len(value.text) {
		c := value.text[i]
		if c >= utf8.RuneSelf {
			f.arena = appendMapped(f.arena[:start+i], value.text[i:], change)
			break
		}
		if from <= c && c <= to {
			c ^= ' '
		}
		f.arena = append(f.arena, c)
	}
	return f.tail(start), true
}

func appendMapped(dst []byte, text string, change func(rune) rune) []byte {
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		dst = utf8.AppendRune(dst, change(r))
		text = text[size:]
	}
	return dst
}

// textFunction compiles the functions of several texts.
func (c *closures) textFunction(n *ast.BuiltinNode) compute {
	arguments := c.computeAll(n.Arguments)
	if arguments == nil {
		return nil
	}
	switch n.Name {
	case "replace":
		return replaced(arguments)
	case "trim":
		if len(arguments) > 1 {
			return c.trim(n, arguments[0])
		}
		return ofText(arguments[0], strings.TrimSpace)
	}
	part := constant(textScalar(" ")) // what trimPrefix and trimSuffix take off without a second argument
	if len(arguments) > 1 {
		part = arguments[1]
	}
	return ofTexts(arguments[0], part, functionOfTwo(n.Name))
}

func functionOfTwo(name string) func(text, part string) scalar {
	switch name {
	case "trimPrefix":
		return func(text, part string) scalar { return textScalar(strings.TrimPrefix(text, part)) }
	case "trimSuffix":
		return func(text, part string) scalar { return textScalar(strings.TrimSuffix(text, part)) }
	case "indexOf":
		return func(text, part string) scalar { return intScalar(int64(strings.Index(text, part))) }
	}
	return func(text, part string) scalar { return intScalar(int64(strings.LastIndex(text, part))) }
}

// ofText has an answer for a string.
func ofText(a compute, apply func(string) string) compute {
	return func(f *frame) (scalar, bool) {
		text, ok := a(f)
		if !ok || text.kind != document.String {
			return scalar{}, false
		}
		return textScalar(apply(text.text)), true
	}
}

// ofTexts has an answer for two strings.
func ofTexts(a, b compute, apply func(a, b string) scalar) compute {
	return func(f *frame) (scalar, bool) {
		text, ok := a(f)
		if !ok || text.kind != document.String {
			return scalar{}, false
		}
		part, ok := b(f)
		if !ok || part.kind != document.String {
			return scalar{}, false
		}
		return apply(text.text, part.text), true
	}
}

// trim with characters needs them to be a constant: the library takes them as a string.
func (c *closures) trim(n *ast.BuiltinNode, text compute) compute {
	set, ok := n.Arguments[1].(*ast.StringNode)
	if !ok {
		c.no("it trims characters that are not a constant")
		return nil
	}
	return ofText(text, func(text string) string { return strings.Trim(text, set.Value) })
}

func replaced(arguments []compute) compute {
	return func(f *frame) (scalar, bool) {
		var texts [3]string
		for i := range texts {
			value, ok := arguments[i](f)
			if !ok || value.kind != document.String {
				return scalar{}, false
			}
			texts[i] = value.text
		}
		count := -1
		if len(arguments) > len(texts) {
			value, ok := arguments[len(texts)](f)
			if !ok || !value.isNumber() {
				return scalar{}, false
			}
			count = truncated(value)
		}
		return f.replace(texts[0], texts[1], texts[2], count), true
	}
}

// replace is strings.Replace: an empty old stands before every character and at the end.
func (f *frame) replace(text, old, by string, count int) scalar {
	start := len(f.arena)
	for done := 0; count < 0 || done < count; done++ {
		at := 0
		if len(old) > 0 {
			at = strings.Index(text, old)
		} else if done > 0 {
			if _, at = utf8.DecodeRuneInString(text); at == 0 {
				break
			}
		}
		if at < 0 {
			break
		}
		f.arena = append(append(f.arena, text[:at]...), by...)
		text = text[at+len(old):]
	}
	f.arena = append(f.arena, text...)
	return f.tail(start)
}
