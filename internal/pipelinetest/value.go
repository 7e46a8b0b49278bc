package pipelinetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

func isNull(n *yaml.Node) bool { return n.Kind == 0 || n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

func isText(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!str" }

var errAlias = errors.New("has an anchor or alias; write the value out")

// appendJSON writes a YAML value as JSON; names keep their order and numbers their digits.
func appendJSON(dst []byte, n *yaml.Node) ([]byte, error) {
	var err error
	switch n.Kind { //nolint:exhaustive // the others are errors
	case yaml.ScalarNode:
		return appendScalar(dst, n)
	case yaml.SequenceNode:
		dst = append(dst, '[')
		for i, item := range n.Content {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, err = appendJSON(dst, item); err != nil {
				return dst, err
			}
		}
		return append(dst, ']'), nil
	case yaml.MappingNode:
		dst = append(dst, '{')
		for i := 0; i+1 < len(n.Content); i += 2 {
			if i > 0 {
				dst = append(dst, ',')
			}
			name, err := json.Marshal(n.Content[i].Value)
			if err != nil {
				return dst, fmt.Errorf("write name: %w", err)
			}
			if dst, err = appendJSON(append(append(dst, name...), ':'), n.Content[i+1]); err != nil {
				return dst, err
			}
		}
		return append(dst, '}'), nil
	}
	return dst, errAlias
}

func appendScalar(dst []byte, n *yaml.Node) ([]byte, error) {
	switch n.Tag {
	case "!!null":
		return append(dst, "null"...), nil
	case "!!bool":
		return append(dst, strings.ToLower(n.Value)...), nil
	case "!!int", "!!float":
		if json.Valid([]byte(n.Value)) {
			return append(dst, n.Value...), nil
		}
		var number float64
		if err := n.Decode(&number); err != nil {
			return dst, fmt.Errorf("read number: %w", err)
		}
		if math.IsInf(number, 0) || math.IsNaN(number) {
			return dst, fmt.Errorf("line %d: %s is no number of JSON", n.Line, n.Value)
		}
		return strconv.AppendFloat(dst, number, 'g', -1, 64), nil
	}
	text, err := json.Marshal(n.Value)
	if err != nil {
		return dst, fmt.Errorf("write text: %w", err)
	}
	return append(dst, text...), nil
}

// diff compares two JSON texts and returns a line for each difference, with its path below at.
func diff(at string, got, want []byte) []string {
	g, gotErr := parse(got)
	w, wantErr := parse(want)
	if gotErr != nil || wantErr != nil {
		if bytes.Equal(got, want) {
			return nil
		}
		return []string{fmt.Sprintf("%s: got %s, want %s", at, got, want)}
	}
	return diffValues(at, g, w)
}

func parse(text []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, fmt.Errorf("read JSON: %w", err)
	}
	return value, nil
}

func diffValues(at string, got, want any) []string {
	switch w := want.(type) {
	case map[string]any:
		if g, ok := got.(map[string]any); ok {
			return diffObjects(at, g, w)
		}
	case []any:
		if g, ok := got.([]any); ok && len(g) == len(w) {
			var lines []string
			for i := range w {
				lines = append(lines, diffValues(fmt.Sprintf("%s[%d]", at, i), g[i], w[i])...)
			}
			return lines
		}
	case json.Number:
		if g, ok := got.(json.Number); ok && sameNumber(g, w) {
			return nil
		}
	default:
		if got == want {
			return nil
		}
	}
	return []string{fmt.Sprintf("%s: got %s, want %s", at, text(got), text(want))}
}

func diffObjects(at string, got, want map[string]any) []string {
	var lines []string
	names := make([]string, 0, len(want))
	for name := range want {
		names = append(names, name)
	}
	for name := range got {
		if _, both := want[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		path := at + "." + name
		g, inGot := got[name]
		w, inWant := want[name]
		switch {
		case !inGot:
			lines = append(lines, fmt.Sprintf("%s: is missing, want %s", path, text(w)))
		case !inWant:
			lines = append(lines, fmt.Sprintf("%s: is not expected, got %s", path, text(g)))
		default:
			lines = append(lines, diffValues(path, g, w)...)
		}
	}
	return lines
}

// sameNumber compares by value: 1 and 1.0 are the same number, and no digit is lost.
func sameNumber(a, b json.Number) bool {
	x, xOK := new(big.Rat).SetString(a.String())
	y, yOK := new(big.Rat).SetString(b.String())
	return a == b || xOK && yOK && x.Cmp(y) == 0
}

func text(value any) string {
	out, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(out)
}
