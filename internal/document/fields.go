package document

// Names are fields of a root object; see [Document.ParseFields]. They are immutable; any goroutine may use them.
type Names struct {
	names   []string
	lengths uint64 // a bit for each length modulo 64 that a name has
}

// NamesOf makes the set of the names.
func NamesOf(names ...string) *Names {
	n := &Names{names: names}
	for _, name := range names {
		n.lengths |= 1 << (len(name) % 64)
	}
	return n
}

func (n *Names) has(name []byte) bool {
	if n.lengths&(1<<(len(name)%64)) == 0 {
		return false
	}
	for _, one := range n.names { //nolint:modernize // slices.Contains would want a copy of the name as a string
		if string(name) == one {
			return true
		}
	}
	return false
}

// ParseFields is Parse for who reads only the root object's fields of these names: the others are checked as strictly and
// then are as if they were not there. Where the root is no object, all is kept.
func (d *Document) ParseFields(src []byte, names *Names) error {
	d.needBuffers()
	if d.guesses == nil {
		d.guesses = &[mostGuesses]guess{}
	}
	return d.parse(src, names)
}

// mostGuesses bounds what is remembered of an object's shape, mostGuess the bytes of one name.
const (
	mostGuesses = 32
	mostGuess   = 64
)

// guess is how the n-th field of the last object began: its name with quotes and colon, in ASCII without escapes. Most
// records of a topic have the same fields in the same order; then comparing with the guess stands for reading the name.
type guess struct {
	text  []byte
	names *Names // whose answer keep is
	keep  bool
}

// fields reads the root object, which begins at i, and notes what is in names. It goes on behind a field as object does: one
// function for both cost 5 % of all parsing.
func (p *parser) fields(i int, names *Names, guesses *[mostGuesses]guess) int {
	place := p.open(i, Object)
	if i = p.space(i + 1); i < len(p.src) && p.src[i] == '}' {
		return p.close(place, i)
	}
	for n := 0; ; n++ {
		g := &guesses[n%mostGuesses]
		if end := i + len(g.text); g.names == names && end <= len(p.src) && string(p.src[i:end]) == string(g.text) {
			if p.quiet = !g.keep; g.keep {
				p.add(i+1, end-2, String)
			}
			i = end
		} else if i = p.name(i, names, g); i < 0 {
			return -1
		}
		if i = p.space(i); p.quiet && i < len(p.src) && p.src[i] == '"' {
			i, _ = p.quoted(i)
		} else {
			i = p.value(i)
		}
		if i < 0 {
			return -1
		}
		p.quiet = false
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

// name reads a field's name at i and the colon behind it, and guesses that the next object has it here too. A name with
// escapes may be any of names.
func (p *parser) name(i int, names *Names, g *guess) int {
	if i >= len(p.src) || p.src[i] != '"' {
		return p.fail(i, `expected '"' of a field name`)
	}
	end, escaped := p.quoted(i)
	if end < 0 {
		return -1
	}
	keep := escaped || names.has(p.src[i+1:end-1])
	if keep {
		p.addText(i+1, end-1, escaped)
	}
	colon := p.space(end)
	if colon >= len(p.src) || p.src[colon] != ':' {
		return p.fail(colon, "expected ':' after a field name")
	}
	if p.quiet = !keep; !escaped && colon == end && end-i < mostGuess && ascii(p.src[i:end]) {
		g.text, g.names, g.keep = append(g.text[:0], p.src[i:end+1]...), names, keep
	}
	return colon + 1
}

// ascii is asked because names that are guessed right are not checked for UTF-8.
func ascii(text []byte) bool {
	for _, c := range text {
		if c >= 0x80 {
			return false
		}
	}
	return true
}
