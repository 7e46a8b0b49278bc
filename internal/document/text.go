package document

import (
	"encoding/binary"
	"math/bits"
)

// text reads a string whose opening quote is at i.
func (p *parser) text(i int) int {
	end, escaped := p.quoted(i)
	if end >= 0 {
		p.addText(i+1, end-1, escaped)
	}
	return end
}

func (p *parser) addText(start, end int, escaped bool) {
	if p.add(start, end, String); escaped && !p.quiet {
		p.entries[len(p.entries)-1].escaped = true
	}
}

// quoted checks a string whose opening quote is at i.
func (p *parser) quoted(i int) (end int, escaped bool) {
	for i = p.plain(i + 1); i < len(p.src); i = p.plain(i) {
		switch p.src[i] {
		case '"':
			return i + 1, escaped
		case '\\':
			escaped = true
			if i = p.escape(i); i < 0 {
				return -1, false
			}
		default:
			return p.fail(i, "control character in a string"), false
		}
	}
	return p.fail(len(p.src), "string has no end"), false
}

// escape checks the escape sequence at i.
func (p *parser) escape(i int) int {
	if i+1 >= len(p.src) {
		return p.fail(i, "string has no end")
	}
	switch p.src[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		if i+6 > len(p.src) || hex4(p.src[i+2:i+6]) < 0 {
			return p.fail(i, `\u needs four hexadecimal digits`)
		}
		return i + 6
	default:
		return p.fail(i, "unknown escape sequence in a string")
	}
}

const (
	lowBits  = 0x0101010101010101
	highBits = 0x8080808080808080
)

// plain skips the bytes that need no look of their own, eight at a time, and stops at a quote, a backslash or a control
// character. It may note a byte beyond ASCII that comes up to seven bytes later: then UTF-8 is checked for nothing.
func (p *parser) plain(i int) int {
	for ; i+8 <= len(p.src); i += 8 {
		word := binary.LittleEndian.Uint64(p.src[i:])
		p.nonASCII |= word
		quote, slash := word^(lowBits*'"'), word^(lowBits*'\\')
		stop := ((quote - lowBits) &^ quote) | ((slash - lowBits) &^ slash) | ((word - lowBits*0x20) &^ word)
		if stop &= highBits; stop != 0 {
			return i + bits.TrailingZeros64(stop)/8
		}
	}
	for ; i < len(p.src); i++ {
		c := p.src[i]
		if c == '"' || c == '\\' || c < 0x20 {
			return i
		}
		p.nonASCII |= uint64(c)
	}
	return i
}
