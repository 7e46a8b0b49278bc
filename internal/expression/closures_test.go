package expression

import (
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"

	"streamer/internal/document"
)

// onMachine is the same program without its closures.
func onMachine(p *Program) *Program {
	machine := *p
	machine.path, machine.compute, machine.test = nil, nil, nil
	return &machine
}

// bothWays is an expression that runs as closures, and the same on the machine.
type bothWays struct {
	text                        string
	closures, machine           *Program
	filter, machineFilter       *Program // nil if it is not a condition
	evaluator, machineEvaluator Evaluator
	flat                        bool
}

// compileBothWays returns nil if the text is no expression, or none that runs as closures. With flat, it meets no lists and no
// objects: then closures may give up only where the machine fails.
func compileBothWays(text string, flat bool) *bothWays {
	p, err := Compile(text, joinedScope())
	if err != nil || p.compute == nil {
		return nil
	}
	b := &bothWays{text: text, closures: p, machine: onMachine(p), flat: flat}
	if filter, err := CompileFilter(text, joinedScope()); err == nil {
		b.filter, b.machineFilter = filter, onMachine(filter)
	}
	return b
}

func describe(v Value) string { return fmt.Sprintf("%v %d %v %q", v.Kind, v.Int, v.Float, v.Text) }

// check holds closures to what expr's machine answers.
func (b *bothWays) check(t testing.TB, r *Record) {
	t.Helper()
	e, m := &b.evaluator, &b.machineEvaluator
	got, ok := b.closures.compute(e.start(r))
	want, wantErr := m.Value(b.machine, r)
	switch value := got.value(); {
	case ok && wantErr != nil:
		t.Fatalf("%s: closures give %s, the machine fails: %v", b.text, describe(value), wantErr)
	case ok && !sameValue(value, want):
		t.Fatalf("%s: closures give %s, the machine %s", b.text, describe(value), describe(want))
	case !ok && wantErr == nil && b.flat:
		t.Fatalf("%s: closures give up, the machine gives %s", b.text, describe(want))
	}
	if b.filter != nil {
		keep, err := e.Test(b.filter, r)
		wantKeep, wantErr := m.Test(b.machineFilter, r)
		if keep != wantKeep || fmt.Sprint(err) != fmt.Sprint(wantErr) {
			t.Fatalf("%s as a filter: %v, %v; the machine %v, %v", b.text, keep, err, wantKeep, wantErr)
		}
	}
	if b.closures.path != nil {
		return // what is copied is not what is computed
	}
	out, err := e.Append(nil, b.closures, r)
	wantOut, wantErr := m.Append(nil, b.machine, r)
	if fmt.Sprint(err) != fmt.Sprint(wantErr) || err == nil && string(out) != string(wantOut) {
		t.Fatalf("%s: closures write %s, %v; the machine %s, %v", b.text, out, err, wantOut, wantErr)
	}
	out, found, err := e.AppendText(nil, b.closures, r)
	wantOut, wantFound, wantErr := m.AppendText(nil, b.machine, r)
	if fmt.Sprint(err) != fmt.Sprint(wantErr) || found != wantFound || err == nil && string(out) != string(wantOut) {
		t.Fatalf("%s as text: closures write %s, %v, %v; the machine %s, %v, %v", b.text, out, found, err, wantOut, wantFound, wantErr)
	}
}

func checkBothWays(t testing.TB, text string, r *Record) {
	t.Helper()
	if b := compileBothWays(text, false); b != nil {
		b.check(t, r)
	}
}

func sameValue(a, b Value) bool {
	return a.Kind == b.Kind && a.Int == b.Int && math.Float64bits(a.Float) == math.Float64bits(b.Float) && string(a.Text) == string(b.Text) ||
		a.Kind == document.Float && b.Kind == document.Float && math.IsNaN(a.Float) && math.IsNaN(b.Float)
}

// composite finds what is a list or an object in any record.
var composite = regexp.MustCompile(`\b(l|o|ad)\b|meta\.headers([^.]|$)|meta\.key([^.]|$)|\[a, 1\]|\[\]|\[1, 2\.5\]|\{|map\(`)

// checkBytes makes an expression and records from bytes.
func checkBytes(t testing.TB, data []byte) {
	c := &chooser{data: data}
	flat := c.below(2) == 0
	depth := 1 + c.below(4)
	var text string
	switch c.below(4) {
	case 0:
		text = c.number(depth)
	case 1:
		text = c.text(depth)
	default:
		text = c.condition(depth)
	}
	flat = flat && !composite.MatchString(text)
	b := compileBothWays(text, flat)
	if b == nil {
		return
	}
	for range 4 {
		b.check(t, c.record(t, flat))
	}
}

// FuzzBothWaysAgree holds the closures to the machine over expressions and records that are made from the bytes.
func FuzzBothWaysAgree(f *testing.F) {
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) { checkBytes(t, data) })
}

// Rapid draws a seed only: its own bytes are mostly small, and would choose the first of everything.
func TestBothWaysAgree(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
		data := make([]byte, 200)
		for range 20 {
			for i := range data {
				data[i] = byte(random.Uint32())
			}
			checkBytes(t, data)
		}
	})
}

// TestTheGeneratorMakesWhatItIsFor: most of what it makes compiles, and most of that runs as closures.
func TestTheGeneratorMakesWhatItIsFor(t *testing.T) {
	made, compiled, closed := 0, 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		c := &chooser{data: rapid.SliceOfN(rapid.Byte(), 40, 200).Draw(rt, "data")}
		p, err := Compile(c.condition(3), joinedScope())
		if made++; err == nil {
			if compiled++; p.Compiled() {
				closed++
			}
		}
	})
	if compiled*10 < made*7 || closed*10 < compiled*6 {
		t.Errorf("of %d expressions %d compile and %d run as closures", made, compiled, closed)
	}
}

// TestEveryPairAgrees goes through all pairs of a value and a constant, which random drawing may miss.
func TestEveryPairAgrees(t *testing.T) {
	constants := []string{"nil", "true", "0", "1", "-1", "9007199254740993", "9223372036854775807", "1.0", "1.5", "-0.0", `""`, `"x"`, `"12"`, `"é"`}
	values := []string{
		"null", "true", "false", "0", "1", "-1", "1.0", "1.5", "9007199254740993", "-9223372036854775808", "9223372036854775808", "1e400", `""`, `"x"`, `"12"`,
		`"\u00e9"`, `"\ud800"`, "[]", `[1,"x"]`, `{"x":1}`,
	}
	var texts []string
	for _, constant := range constants {
		for operator := range strings.FieldsSeq("== != < <= > >= + - * / % ** ?? contains startsWith endsWith && ||") {
			texts = append(texts, "a "+operator+" "+constant, constant+" "+operator+" a")
		}
		texts = append(texts, "a in [true, "+constant+"]", "not (a in ["+constant+"])", "a == "+constant+" ? a : nil", "min(a, "+constant+")", "max("+constant+", a)",
			"a["+constant+":]", "a[:"+constant+"]", "replace(a, "+constant+`, "yy")`, `trim(a, "x")`)
	}
	texts = append(texts, "a in [l[0], 1]", "a == l[0]", "a in l", "l[0] in l", "[1] in l", "a in o", "o in l", `"x" in a`, "nil in a", "1 in a", "a in a", "a in 0..1", "a in 1..1",
		"a in -1..0", "a in [[1], a]", "a in [abs(a), 1]", "!(a == 1 ? true : abs(a))", "(a == 1 ? true : abs(a)) ? 1 : 2", "a < l[5]", "l == a", "l[2] > a")
	for name := range strings.FieldsSeq("len type upper lower trim trimPrefix trimSuffix int float string abs ceil floor round min max not - +") {
		texts = append(texts, name+"(a)")
	}
	for _, text := range texts {
		b := compileBothWays(text, false)
		if b == nil {
			continue
		}
		for _, value := range values {
			r := &Record{Source: &kgo.Record{}}
			if err := r.Value.Parse([]byte(`{"l":[[1,"x"],{"x":1},1,"é",null,1.5],"o":{"x":null,"12":1},"a":` + value + `}`)); err != nil {
				t.Fatal(err)
			}
			b.flat = !strings.ContainsAny(value, "[{") && !strings.ContainsAny(text, "[lo")
			b.check(t, r)
		}
	}
}

func TestWhatRunsAsClosures(t *testing.T) {
	for text, want := range map[string]string{
		`event_type == "view" && price > 1`: ``, `meta.partition in [1, n] or not ok`: ``, `n > price`: ``, `user.name matches "^A"`: ``, `n`: ``,
		`upper(type) == "A" ? n + 1 : round(price)`: ``, `"a" in user.tags`: ``, `len(items) > 1`: ``, `n in 1..1000`: ``, `date ?? 1`: ``,
		`let x = n; x > 1`: `it has a let variable`, `count(items, .live)`: `it calls count`, `[n]`: `it makes a list`, `{"n": n}`: `it makes an object`,
		`split(type, ",")`: `it calls split`, `date(when)`: `it calls date`, `date(when).Year()`: `it calls a method`, `text matches type`: `it matches a pattern that is not a constant`,
		`items[n]`: `it picks a part whose place is computed`, `n in 1..n`: `it looks into a computed or large range`, `n in 0..1000000`: `it looks into a computed or large range`,
		`n in keys(user)`: `it looks into a computed list`, `1..3`: `it uses the operator ..`, `trim(text, type)`: `it trims characters that are not a constant`,
		`"a"; n`: `it is several expressions`, `len(keys(user))`: `it calls keys`,
	} {
		p, err := Compile(text, Scope{Value: Fields})
		if err != nil {
			t.Fatal(err)
		}
		if p.Compiled() != (want == "") || p.FallbackReason() != want {
			t.Errorf("%s: compiled %v, %q", text, p.Compiled(), p.FallbackReason())
		}
	}
}

// The disagreements that were found, by what was wrong.
func TestFoundDisagreements(t *testing.T) {
	for name, test := range map[string]struct{ text, value string }{
		"min of one value is the value, whatever it is":       {`min(a)`, `{"a":"é"}`},
		"max of nothing but a bool is the bool":               {`max(a)`, `{"a":true}`},
		"the checker takes a float for an integer":            {`max(1, 2.5) == 2`, `{}`},
		"the checker takes a string for an integer":           {`(a == 1 ? 1 : b) == 1`, `{"a":2,"b":"x"}`},
		"the checker takes nil for a bool":                    {`(a == 1 ? true : b) && true`, `{"a":2}`},
		"what is not a number is in no order":                 {`(a - a) < 1 || (a - a) >= 1`, `{"a":1e400}`},
		"a remainder by zero is an error, by -1 it is none":   {`(a % -1) == 0`, `{"a":-9223372036854775808}`},
		"a letter beyond ASCII changes its length":            {`len(lower(a)) + len(upper(a))`, `{"a":"xKǆß"}`},
		"two texts with escapes are held at the same time":    {`a < b && a + b == "é\"x"`, `{"a":"\u00e9","b":"\"x"}`},
		"a text that is joined twice does not overwrite":      {`(a + "x") + (a + "y") == "1x1y"`, `{"a":"1"}`},
		"an empty text stands before every letter and behind": {`replace(a, "", "-")`, `{"a":"aé"}`},
	} {
		t.Run(name, func(t *testing.T) {
			r := &Record{Source: &kgo.Record{}}
			if err := r.Value.Parse([]byte(test.value)); err != nil {
				t.Fatal(err)
			}
			b := compileBothWays(test.text, true)
			if b == nil {
				t.Fatal("does not run as closures")
			}
			b.check(t, r)
		})
	}
}
