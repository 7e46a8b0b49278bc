package expression

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/document"
)

// chooser turns bytes into choices. When they are used up it takes the first of everything, which ends every recursion.
type chooser struct{ data []byte }

func (c *chooser) below(n int) int {
	if len(c.data) == 0 {
		return 0
	}
	b := c.data[0]
	c.data = c.data[1:]
	return int(b) % n
}

func (c *chooser) of(choices ...string) string { return choices[c.below(len(choices))] }

// Expressions of every form that closures know, and some that they do not. They are made by the kind of their result, so
// that the checker refuses few; fields are of any kind.

func (c *chooser) field() string {
	return c.of("a", "b", "c", "d", "e", "a.b", "l[0]", "l[-1]", "l[1]", "o.x", `$env["b"]`, "l", "o", "meta.topic", "meta.partition", "meta.offset",
		"meta.timestamp", "meta.key", "meta.key.id", "meta.key.s", "meta.headers.h", "meta.headers.g", "meta.headers", "ad", "ad.n", "ad.s", "none", "none.x")
}

func (c *chooser) number(depth int) string {
	if depth <= 0 {
		return c.of("1", "0", "2", "-1", "1.5", "-0.0", "3", "100", "0.1", "9007199254740993", "9223372036854775807", "1e300", "-7", "a", "b", "c")
	}
	switch c.below(20) {
	case 0, 1:
		return c.number(0)
	case 2, 3, 4:
		return c.field()
	case 5, 6, 7, 8:
		return fmt.Sprintf("(%s %s %s)", c.number(depth-1), c.of("+", "-", "*", "/", "%", "**", "^"), c.number(depth-1))
	case 9:
		return "-" + c.number(depth-1)
	case 10:
		return "+(" + c.number(depth-1) + ")"
	case 11:
		return fmt.Sprintf("%s(%s)", c.of("int", "float", "abs", "ceil", "floor", "round"), c.number(depth-1))
	case 12:
		return fmt.Sprintf("%s(%s)", c.of("int", "float"), c.text(depth-1))
	case 13:
		return fmt.Sprintf("len(%s)", c.of(c.text(depth-1), "l", "o", "a"))
	case 14:
		return fmt.Sprintf("%s(%s, %s)", c.of("min", "max"), c.number(depth-1), c.number(depth-1))
	case 15:
		return fmt.Sprintf("%s(%s)", c.of("min", "max", "sum", "len"), c.of("l", "a", "[1, 2.5]", "[]"))
	case 16:
		return fmt.Sprintf("%s(%s, %s)", c.of("indexOf", "lastIndexOf"), c.text(depth-1), c.text(0))
	case 17:
		return fmt.Sprintf("(%s ?? %s)", c.number(depth-1), c.number(depth-1))
	default:
		return fmt.Sprintf("(%s ? %s : %s)", c.condition(depth-1), c.of(c.number(depth-1), "nil"), c.of(c.number(depth-1), "nil", "b"))
	}
}

func (c *chooser) text(depth int) string {
	if depth <= 0 {
		return c.of(`"x"`, `""`, `"xy"`, `"é"`, `"12"`, `" x "`, `"1.5e3"`, `"ÀÉx\xff"`, `"ß y"`, "a", "b", "d")
	}
	switch c.below(16) {
	case 0:
		return c.text(0)
	case 1, 2, 3:
		return c.field()
	case 4, 5:
		return fmt.Sprintf("(%s + %s)", c.text(depth-1), c.text(depth-1))
	case 6, 7:
		return fmt.Sprintf("%s(%s)", c.of("upper", "lower", "trim", "trimPrefix", "trimSuffix", "type", "string"), c.text(depth-1))
	case 8:
		return fmt.Sprintf("%s(%s, %s)", c.of("trim", "trimPrefix", "trimSuffix"), c.text(depth-1), c.text(0))
	case 9:
		return fmt.Sprintf("%s(%s)", c.of("string", "type"), c.any(depth-1))
	case 10:
		return fmt.Sprintf("replace(%s, %s, %s)", c.text(depth-1), c.text(0), c.text(0))
	case 11:
		return fmt.Sprintf("replace(%s, %s, %s, %s)", c.text(depth-1), c.text(0), c.text(0), c.of("0", "1", "2", "-1", "a"))
	case 12:
		return fmt.Sprintf("(%s)[%s:%s]", c.text(depth-1), c.of("", "0", "1", "-1", "a", "int(b)", "9", "-9"), c.of("", "0", "1", "-1", "c", "9"))
	case 13:
		return fmt.Sprintf("(%s ?? %s)", c.text(depth-1), c.text(depth-1))
	case 14:
		return fmt.Sprintf("split(%s, %s)[0]", c.text(depth-1), c.text(0))
	default:
		return fmt.Sprintf("(%s ? %s : %s)", c.condition(depth-1), c.of(c.text(depth-1), "nil"), c.of(c.text(depth-1), "nil", "c"))
	}
}

func (c *chooser) condition(depth int) string {
	if depth <= 0 {
		return c.of("true", "false", "c", "e", "a == 1", `b == "x"`, "d != nil", "a")
	}
	switch c.below(18) {
	case 0:
		return c.condition(0)
	case 1, 2, 3:
		kind := c.below(3)
		operand := []func(int) string{c.number, c.text, c.any}[kind]
		return fmt.Sprintf("(%s %s %s)", operand(depth-1), c.of("==", "!="), operand(depth-1))
	case 4, 5, 6:
		return fmt.Sprintf("(%s %s %s)", c.number(depth-1), c.of("<", "<=", ">", ">="), c.number(depth-1))
	case 7:
		return fmt.Sprintf("(%s %s %s)", c.text(depth-1), c.of("<", "<=", ">", ">="), c.text(depth-1))
	case 8:
		return fmt.Sprintf("(%s in [%s, %s])", c.any(depth-1), c.any(depth-1), c.any(0))
	case 9:
		return fmt.Sprintf(`(%s in [1, "x", nil, true, 2.5, "é"])`, c.any(depth-1))
	case 10:
		return fmt.Sprintf("(%s in %s)", c.any(depth-1), c.of("l", "o", "meta.headers", "a", "ad", "1..3", "-2..100", "1..2000000", "meta.topic", "none"))
	case 11, 12:
		return fmt.Sprintf("(%s %s %s)", c.text(depth-1), c.of("contains", "startsWith", "endsWith"), c.text(depth-1))
	case 13:
		return fmt.Sprintf("(%s matches %s)", c.text(depth-1), c.of(`"x"`, `"^[a-z]+$"`, `"\\d"`, "b"))
	case 14:
		return fmt.Sprintf("%s(%s, %s)", c.of("hasPrefix", "hasSuffix"), c.text(depth-1), c.text(0))
	case 15:
		return c.of("not ", "!") + c.condition(depth-1)
	case 16:
		return fmt.Sprintf("(%s %s %s)", c.condition(depth-1), c.of("&&", "||", "and", "or"), c.condition(depth-1))
	default:
		return fmt.Sprintf("(%s ? %s : %s)", c.condition(depth-1), c.condition(depth-1), c.of(c.condition(depth-1), "nil"))
	}
}

func (c *chooser) any(depth int) string {
	switch c.below(8) {
	case 0, 1:
		return c.field()
	case 2, 3:
		return c.number(depth)
	case 4, 5:
		return c.text(depth)
	case 6:
		return c.condition(depth)
	default:
		return c.of("nil", "[a, 1]", `{"k": a}`, "let v = a; v", "map(l, # ?? 1)", "l", "o")
	}
}

// value makes JSON; without lists and objects if flat.
func (c *chooser) value(flat bool) string {
	scalars := []string{
		"1", "null", "true", "false", "0", "-1", "2", "3", "1.0", "1.5", "-0.0", "9007199254740993", "9223372036854775807", "-9223372036854775808",
		"9223372036854775808", "1e400", "-1e400", "1e-7", "100000000.0", "0.1", `""`, `"x"`, `"xy"`, `"é"`, `"\u00e9"`, `"\u0078"`, `"X\ty"`, `"ß y"`, `"\ud800"`,
		`" x "`, `"12"`, `"1.5e3"`, `"-0"`, `"0x1p-2"`, `"inf"`, `"nil"`, `"ǆ"`, `"K"`,
	}
	if !flat && c.below(4) == 3 {
		return c.of(`[]`, `{}`, `{"b":1}`, `{"b":"x"}`, `[1,"x",2.5]`, `[null]`, `["\u0078",true]`, `[[1],{"b":1}]`, `{"x":1,"x":2}`, `{"\u0078":"é"}`)
	}
	return scalars[c.below(len(scalars))]
}

// record makes a record; flat is one in which closures must not give up without an error.
func (c *chooser) record(t testing.TB, flat bool) *Record {
	var fields []string
	for _, name := range []string{"a", "b", `\u0063`, "d", "e"} {
		if c.below(5) > 0 || name == "a" {
			fields = append(fields, fmt.Sprintf(`"%s":%s`, name, c.value(flat)))
		}
	}
	if !flat {
		fields = append(fields, `"l":`+c.of(`[1,2]`, `["x",1.5,null]`, `[]`, c.value(flat)), `"o":`+c.of(`{"x":1}`, `{"x":"é","y":[]}`, c.value(flat)))
	}
	r := &Record{Source: &kgo.Record{
		Topic: c.of("x", "xy", ""), Partition: int32(c.below(2)), Offset: int64(c.below(3)), Timestamp: time.UnixMilli(int64(c.below(3))),
		Key: [][]byte{nil, {}, []byte("x"), []byte("\xff")}[c.below(4)],
	}}
	if c.below(2) == 0 {
		r.Source.Headers = []kgo.RecordHeader{{Key: "h", Value: []byte("old")}, {Key: "h", Value: []byte(c.of("x", "y\xff", "12"))}, {Key: "g"}}
	}
	for text, d := range map[string]*document.Document{
		"{" + strings.Join(fields, ",") + "}": &r.Value, `{"id":` + c.value(flat) + `,"s":"k"}`: &r.Key,
	} {
		if err := d.Parse([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if c.below(2) == 0 {
		r.Joined = []*document.Document{row(t, `{"n":`+c.of("1", "2.5", "null")+`,"s":"x\"y"}`), nil}
	}
	return r
}
