package expression

import (
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"

	"streamer/internal/document"
)

// builtin compiles the functions of one value, or of few, that need no list.
func (c *closures) builtin(n *ast.BuiltinNode) compute {
	switch n.Name {
	case "min", "max":
		return c.extreme(n)
	case "trim", "trimPrefix", "trimSuffix", "replace", "indexOf", "lastIndexOf":
		return c.textFunction(n)
	case "len":
		if p, ok := c.readArgument(n.Arguments[0]); ok {
			return lengthOf(p)
		}
	}
	apply, ok := functionsOfOne()[n.Name]
	if !ok || len(n.Arguments) != 1 {
		c.no("it calls " + n.Name)
		return nil
	}
	argument := c.compute(n.Arguments[0])
	if argument == nil {
		return nil
	}
	return func(f *frame) (scalar, bool) {
		value, ok := argument(f)
		if !ok {
			return scalar{}, false
		}
		return apply(f, value)
	}
}

// function computes a function of one argument.
type function func(f *frame, value scalar) (scalar, bool)

func functionsOfOne() map[string]function {
	return map[string]function{
		"abs": absolute, "ceil": rounded(math.Ceil), "floor": rounded(math.Floor), "round": rounded(math.Round),
		"int": toInt, "float": toFloat, "string": toText, "upper": upper, "lower": lower, "len": runes, "type": typeNames(),
	}
}

// readArgument finds a read behind the check for nil.
func (c *closures) readArgument(n ast.Node) (*path, bool) {
	if call, ok := n.(*ast.CallNode); ok && calleeName(call) == callPresent+"len" {
		n = call.Arguments[0]
	}
	p, ok := c.paths[n]
	return p, ok
}

// lengthOf counts the characters of a text or the elements of a list.
func lengthOf(p *path) compute {
	return func(f *frame) (scalar, bool) {
		if d, n, ok := p.locate(f.record); ok && d.Kind(n) == document.Array {
			return intScalar(int64(d.Length(n))), true
		}
		return runes(f, p.scalar(f))
	}
}

func runes(_ *frame, value scalar) (scalar, bool) {
	return intScalar(int64(utf8.RuneCountInString(value.text))), value.kind == document.String
}

// typeNames gives the names as expr has them; they are made once, not for each record.
func typeNames() function {
	var names [document.Object + 1]scalar
	for kind, name := range [...]string{
		document.Missing: "nil", document.Null: "nil", document.False: "bool", document.True: "bool", document.Integer: "int",
		document.Float: "float", document.String: "string", document.Array: "array", document.Object: "map",
	} {
		names[kind] = textScalar(name)
	}
	return func(_ *frame, value scalar) (scalar, bool) { return names[value.kind], true }
}

func absolute(_ *frame, value scalar) (scalar, bool) {
	if value.kind == document.Integer && value.integer() < 0 || value.kind == document.Float && value.float() < 0 {
		return value.negated(), true
	}
	return value, value.isNumber()
}

func rounded(round func(float64) float64) function {
	return func(_ *frame, value scalar) (scalar, bool) {
		if value.kind == document.Integer {
			return floatScalar(float64(value.integer())), true
		}
		return floatScalar(round(value.float())), value.kind == document.Float
	}
}

func toInt(_ *frame, value scalar) (scalar, bool) {
	switch value.kind { //nolint:exhaustive // the others are errors
	case document.Integer:
		return value, true
	case document.Float:
		return intScalar(int64(int(value.float()))), true
	case document.String:
		number, err := strconv.Atoi(value.text)
		return intScalar(int64(number)), err == nil
	}
	return scalar{}, false
}

func toFloat(_ *frame, value scalar) (scalar, bool) {
	switch value.kind { //nolint:exhaustive // the others are errors
	case document.Integer, document.Float:
		return floatScalar(value.asFloat()), true
	case document.String:
		number, err := strconv.ParseFloat(value.text, 64)
		return floatScalar(number), err == nil
	}
	return scalar{}, false
}

func toText(f *frame, value scalar) (scalar, bool) {
	start := len(f.arena)
	switch value.kind {
	case document.String:
		return value, true
	case document.True, document.False:
		f.arena = strconv.AppendBool(f.arena, value.kind == document.True)
	case document.Integer:
		f.arena = strconv.AppendInt(f.arena, value.integer(), 10)
	case document.Float:
		f.arena = strconv.AppendFloat(f.arena, value.float(), 'g', -1, 64) // as %v does
	default:
		return scalar{}, false
	}
	return f.tail(start), true
}

// extreme compiles min and max of numbers. Lists among the arguments are left to the machine.
func (c *closures) extreme(n *ast.BuiltinNode) compute {
	arguments := c.computeAll(n.Arguments)
	if arguments == nil {
		return nil
	}
	if len(arguments) == 1 {
		return notComposite(arguments[0])
	}
	replaces := more // of min: what is the least so far is more than the next
	if n.Name == "max" {
		replaces = less
	}
	return func(f *frame) (best scalar, ok bool) {
		for i, argument := range arguments {
			value, ok := argument(f)
			if !ok || !value.isNumber() {
				return scalar{}, false
			}
			if i == 0 {
				best = value
			} else if replace, _ := best.compare(replaces, value); replace {
				best = value
			}
		}
		return best, true
	}
}

// notComposite is what min and max of one value are: the value itself, whatever it is.
func notComposite(argument compute) compute {
	return func(f *frame) (scalar, bool) {
		value, ok := argument(f)
		return value, ok && !value.isComposite()
	}
}

// slice compiles text[from:to], which counts bytes.
func (c *closures) slice(n *ast.SliceNode) compute {
	text := c.compute(n.Node)
	ends := [2]compute{}
	for i, end := range []ast.Node{n.From, n.To} {
		if end == nil {
			continue
		}
		if ends[i] = c.compute(end); ends[i] == nil {
			return nil
		}
	}
	if text == nil {
		return nil
	}
	return func(f *frame) (scalar, bool) {
		value, ok := text(f)
		if !ok || value.kind != document.String {
			return scalar{}, false
		}
		at := [2]int{0, len(value.text)}
		for i := range ends {
			if ends[i] == nil {
				continue
			}
			end, ok := ends[i](f)
			if !ok || !end.isNumber() {
				return scalar{}, false
			}
			at[i] = clip(truncated(end), len(value.text))
		}
		return textScalar(value.text[min(at[0], at[1]):at[1]]), true
	}
}

func truncated(value scalar) int {
	if value.kind == document.Float {
		return int(value.float())
	}
	return int(value.integer())
}

// clip is the place that an index means in a text; from the end if it is negative.
func clip(index, length int) int {
	if index < 0 {
		index += length
	}
	return max(0, min(index, length))
}
