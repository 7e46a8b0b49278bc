package expression

import (
	"errors"
	"strings"
	"testing"
)

// FuzzCompile holds that no text makes the compiler or a run panic, that errors keep their types, and that whatever compiles
// runs alike both ways.
func FuzzCompile(f *testing.F) {
	for _, seed := range []string{
		`a == 1`, `map(l, .x)`, `let x = a; x?.b ?? 1`, `meta.headers["x"]`, `$env`, `-l[-1:]`, `{"a":[1..3]}`, `if a {b} else {c}`, `reduce([1], #acc)`,
		`upper(type) + "x"[0:n]`, `n in 1..9 && text in ["a", nope]`, `ad.n ?? meta.key.id`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := CompileFilter(text, joinedScope())
		if err != nil {
			if _, ok := errors.AsType[*Error](err); !ok || strings.Contains(err.Error(), "goroutine") {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		r := joinedRecord(t)
		if err := r.Value.Parse([]byte(ad)); err != nil {
			t.Fatal(err)
		}
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
		checkBothWays(t, text, r)
	})
}
