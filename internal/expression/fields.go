package expression

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// fieldName is the path as a user would write it.
func (p *path) fieldName(s *Scope) string {
	var text strings.Builder
	steps := p.steps
	switch p.from {
	case fromValue:
		switch {
		case s.Value == Text:
			text.WriteString("value")
		case len(steps) > 0 && isBare(steps[0]):
			text.WriteString(steps[0].name)
			steps = steps[1:]
		default:
			text.WriteString("$env")
		}
	case fromJoined:
		if row := (step{name: p.rowName}); isBare(row) {
			text.WriteString(p.rowName)
		} else {
			text.WriteString("$env")
			writeSteps(&text, []step{row}, true)
		}
	case fromDecodedKey:
		text.WriteString("meta.key")
	default:
		text.WriteString("meta." + metaNames()[p.from-fromTopic])
	}
	writeSteps(&text, steps, true)
	return text.String()
}

// isBare reports whether a field can be written as a name of its own: not behind a dot, where keywords and meta are names
// like any other.
func isBare(s step) bool {
	reserved := []string{
		"meta", "true", "false", "nil", "not", "and", "or", "in", "matches", "contains", "startsWith", "endsWith", "let", "if",
		"else",
	}
	return !s.byIndex && isName(s.name) && !slices.Contains(reserved, s.name)
}

func isName(text string) bool { return regexp.MustCompile(`^[\pL_$][\pL\pN_$]*$`).MatchString(text) }

// writeSteps writes what follows the start of a path: with dots where the language allows them, or else each in brackets.
func writeSteps(text *strings.Builder, steps []step, dots bool) {
	for _, s := range steps {
		switch {
		case s.byIndex:
			text.WriteString("[" + strconv.Itoa(s.index) + "]")
		case dots && isName(s.name):
			text.WriteString("." + s.name)
		default:
			text.WriteString("[" + strconv.Quote(s.name) + "]")
		}
	}
}
