package expression

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"
)

// fieldTexts and literalTexts meet each other in every way: all kinds, equal and unequal, missing, escaped, beyond 2^53.
var (
	fieldTexts = []string{
		"a", "b", "c", "d", "a.b", "l[0]", "l[-1]", `$env["meta"]`, "meta.topic", "meta.partition", "meta.offset", "meta.key", "meta.timestamp",
		"meta.headers.h", "meta.headers",
	}
	literalTexts = []string{
		"nil", "true", "false", "0", "1", "-1", "9007199254740992", "9007199254740993", "9223372036854775807", "1.0", "1.5", "-0.0", `""`, `"x"`, `"xy"`, `"é"`,
	}
	valueTexts = []string{
		"null", "true", "false", "0", "1", "-1", "1.0", "1.5", "9007199254740993", "9223372036854775807", "9223372036854775808", "1e400", `""`,
		`"x"`, `"xy"`, `"é"`, `"\u00e9"`, `"\u0078"`, "[]", `{"b":1}`, `{"b":"x"}`, `[1,"x"]`, `[null]`,
	}
)

func drawCondition(t *rapid.T, depth int) string {
	field := rapid.SampledFrom(fieldTexts).Draw(t, "field")
	literal := rapid.SampledFrom(literalTexts).Draw(t, "literal")
	pick := rapid.IntRange(0, 9).Draw(t, "form")
	if depth == 0 && pick > 6 {
		pick -= 4
	}
	switch pick {
	case 0:
		return field
	case 1, 2:
		operator := rapid.SampledFrom([]string{"==", "!=", "<", "<=", ">", ">="}).Draw(t, "operator")
		if rapid.Bool().Draw(t, "flip") {
			return fmt.Sprintf("(%s %s %s)", literal, operator, field)
		}
		return fmt.Sprintf("(%s %s %s)", field, operator, literal)
	case 3:
		list := rapid.SliceOfN(rapid.SampledFrom(literalTexts), 0, 4).Draw(t, "list")
		return fmt.Sprintf("(%s in [%s])", field, strings.Join(list, ", "))
	case 4, 5, 6:
		operator := rapid.SampledFrom([]string{"contains", "startsWith", "endsWith", "matches"}).Draw(t, "operator")
		return fmt.Sprintf("(%s %s %s)", field, operator, rapid.SampledFrom([]string{`""`, `"x"`, `"y"`, `"é"`}).Draw(t, "part"))
	case 7:
		return "not " + drawCondition(t, depth-1)
	default:
		operator := rapid.SampledFrom([]string{"&&", "||", "and", "or"}).Draw(t, "operator")
		return fmt.Sprintf("(%s %s %s)", drawCondition(t, depth-1), operator, drawCondition(t, depth-1))
	}
}

func drawRecord(t *rapid.T) *Record {
	var fields []string
	for _, name := range []string{"a", "b", `\u0063`, "d", "l", "meta"} {
		if rapid.Bool().Draw(t, "has "+name) {
			fields = append(fields, fmt.Sprintf(`"%s":%s`, name, rapid.SampledFrom(valueTexts).Draw(t, name)))
		}
	}
	r := &Record{Source: &kgo.Record{
		Topic:     rapid.SampledFrom([]string{"x", "xy", ""}).Draw(t, "topic"),
		Partition: rapid.Int32Range(0, 1).Draw(t, "partition"), Offset: rapid.Int64Range(0, 1).Draw(t, "offset"),
		Timestamp: time.UnixMilli(rapid.Int64Range(0, 1).Draw(t, "timestamp")),
		Key:       rapid.SampledFrom([][]byte{nil, {}, []byte("x"), []byte("\xff")}).Draw(t, "key"),
	}}
	if rapid.Bool().Draw(t, "header") {
		r.Source.Headers = []kgo.RecordHeader{{Key: "h", Value: []byte("x")}}
	}
	if err := r.Value.Parse([]byte("{" + strings.Join(fields, ",") + "}")); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestClosuresAnswerAsTheMachine runs random conditions both ways over random records: the same answer, or an error
// from both.
func TestClosuresAnswerAsTheMachine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := drawCondition(t, 3)
		p, err := CompileFilter(text, Scope{Value: Fields})
		if err != nil {
			if strings.Contains(err.Error(), "mismatched types") {
				t.Skip("the checker refuses it")
			}
			t.Fatalf("%s: %v", text, err)
		}
		if p.test == nil {
			if strings.Contains(text, "nil") {
				t.Skip("an order against nil runs on the machine")
			}
			t.Fatalf("%s does not run as closures", text)
		}
		var e Evaluator
		for range 4 {
			r := drawRecord(t)
			got, gotErr := p.test(r)
			result, wantErr := e.run(p, r)
			want := false
			if wantErr == nil {
				want, wantErr = truth(result)
			}
			if got != want || (gotErr == nil) != (wantErr == nil) {
				t.Fatalf("%s: closures %v, %v; machine %v, %v", text, got, gotErr, want, wantErr)
			}
			if gotErr != nil {
				checkSamePlace(t, text, gotErr, wantErr)
			}
		}
	})
}

// checkSamePlace holds the closures' error to the position that the machine names.
func checkSamePlace(t *rapid.T, text string, got, want error) {
	a, ok := errors.AsType[*EvalError](got)
	if !ok {
		t.Fatalf("%s: %v is not an EvalError", text, got)
	}
	if b, ok := errors.AsType[*EvalError](want); ok && b.Line != 0 && (a.Line != b.Line || a.Column != b.Column) {
		t.Fatalf("%s: closures say %v, machine says %v", text, got, want)
	}
}

// TestEveryComparisonAnswersAsTheMachine goes through all pairs of a value and a constant, which random drawing may miss.
func TestEveryComparisonAnswersAsTheMachine(t *testing.T) {
	var conditions []string
	for _, literal := range literalTexts {
		for _, operator := range []string{"==", "!=", "<", "<=", ">", ">="} {
			conditions = append(conditions, "a "+operator+" "+literal, literal+" "+operator+" a")
		}
		conditions = append(conditions, "a in [true, "+literal+"]", "not (a in ["+literal+"])", "a == "+literal+" || a", "a && a != "+literal)
	}
	for _, text := range conditions {
		p, err := CompileFilter(text, Scope{Value: Fields})
		if err != nil {
			continue // such as a < true, which the checker refuses
		}
		var e Evaluator
		for _, value := range append(slices.Clone(valueTexts), "") {
			r := &Record{Source: &kgo.Record{}}
			object := "{}"
			if value != "" {
				object = `{"a":` + value + `}`
			}
			if err := r.Value.Parse([]byte(object)); err != nil {
				t.Fatal(err)
			}
			got, gotErr := e.Test(p, r)
			result, wantErr := e.run(p, r)
			want := false
			if wantErr == nil {
				want, wantErr = truth(result)
			}
			if got != want || (gotErr == nil) != (wantErr == nil) {
				t.Errorf("%s of %s: closures %v, %v; machine %v, %v", text, object, got, gotErr, want, wantErr)
			}
		}
	}
}

func TestWhatRunsAsClosures(t *testing.T) {
	for text, want := range map[string]bool{
		`event_type == "view" && price > 1`: true, `meta.partition in [1, 2] or not ok`: true, `5 < n`: true, `user.name matches "^A"`: true,
		`n + 1 > 2`: false, `upper(type) == "A"`: false, `let x = n; x > 1`: false, `n > price`: false,
	} {
		p, err := CompileFilter(text, Scope{Value: Fields})
		if err != nil {
			t.Fatal(err)
		}
		if (p.test != nil) != want {
			t.Errorf("%s: runs as closures: %v", text, p.test != nil)
		}
	}
}

func TestClosuresDoNotAllocate(t *testing.T) {
	r := record(t, ad)
	for _, text := range []string{
		`event_type == "view" && price > 1 && id == 9007199254740993`, `meta.topic == "events" && meta.key != "x"`, `text == "grüezi"`,
		`event_type in ["a", "view"]`, `user.name startsWith "A"`, `meta.headers.trace == "t1"`,
	} {
		p, err := CompileFilter(text, Scope{Value: Fields})
		if err != nil {
			t.Fatal(err)
		}
		var e Evaluator
		if keep, err := e.Test(p, r); !keep || err != nil {
			t.Fatalf("%s: %v, %v", text, keep, err)
		}
		if n := testing.AllocsPerRun(100, func() { _, _ = e.Test(p, r) }); n != 0 {
			t.Errorf("%s allocates %v objects", text, n)
		}
	}
}

// FuzzCompile holds that no text makes the compiler or a run panic, and that errors keep their types.
func FuzzCompile(f *testing.F) {
	for _, seed := range []string{`a == 1`, `map(l, .x)`, `let x = a; x?.b ?? 1`, `meta.headers["x"]`, `$env`, `-l[-1:]`, `{"a":[1..3]}`, `if a {b} else {c}`, `reduce([1], #acc)`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := CompileFilter(text, Scope{Value: Fields})
		if err != nil {
			if _, ok := errors.AsType[*Error](err); !ok || strings.Contains(err.Error(), "goroutine") {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		r := record(t, ad)
		var e Evaluator
		if _, err := e.Test(p, r); err != nil {
			if _, ok := errors.AsType[*EvalError](err); !ok {
				t.Fatalf("%q: %T %v", text, err, err)
			}
		}
		first, _ := e.Append(nil, p, r)
		if second, _ := e.Append(nil, p, r); string(first) != string(second) {
			t.Fatalf("%q: %s, then %s", text, first, second)
		}
	})
}

func BenchmarkFilter(b *testing.B) {
	r := record(b, ad)
	p, err := CompileFilter(`event_type == "view" && price > 1`, Scope{Value: Fields})
	if err != nil {
		b.Fatal(err)
	}
	machine := &Program{code: p.code, reasons: p.reasons}
	for name, program := range map[string]*Program{"closures": p, "machine": machine} {
		b.Run(name, func(b *testing.B) {
			var e Evaluator
			b.ReportAllocs()
			for b.Loop() {
				if keep, err := e.Test(program, r); !keep || err != nil {
					b.Fatal(keep, err)
				}
			}
		})
	}
}
