package document_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"streamer/internal/document"
)

// What is built reads as what the same JSON text parses to.
func TestBuildEqualsParse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		value := anyValue(t, 3)
		text, err := document.AppendGo(nil, value)
		if err != nil {
			t.Fatal(err)
		}
		var built, parsed document.Document
		if err := parsed.Parse(text); err != nil {
			t.Fatal(err)
		}
		b := built.Build()
		copyNode(&b, &parsed, document.Root)
		if err := b.Finish(); err != nil {
			t.Fatal(err)
		}
		if got := string(built.Append(nil, document.Root)); got != string(text) {
			t.Errorf("built %s, want %s", got, text)
		}
	})
}

func anyValue(t *rapid.T, depth int) any {
	kinds := 6
	if depth == 0 {
		kinds = 4
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(t, "bool")
	case 2:
		return rapid.Int().Draw(t, "int")
	case 3:
		return rapid.String().Draw(t, "string")
	case 4:
		list := make([]any, rapid.IntRange(0, 3).Draw(t, "length"))
		for i := range list {
			list[i] = anyValue(t, depth-1)
		}
		return list
	default:
		object := map[string]any{}
		for range rapid.IntRange(0, 3).Draw(t, "fields") {
			object[rapid.String().Draw(t, "name")] = anyValue(t, depth-1)
		}
		return object
	}
}

func copyNode(b *document.Builder, d *document.Document, n document.Node) {
	switch kind := d.Kind(n); kind {
	case document.Array, document.Object:
		b.Begin(kind)
		for name, value := range d.Children(n) {
			if name != document.None {
				b.Name(string(d.Text(name)))
			}
			copyNode(b, d, value)
		}
		b.End()
	case document.True, document.False:
		b.Bool(kind == document.True)
	case document.Integer:
		value, _ := d.Int(n)
		b.Int(value)
	case document.Float:
		b.Float(d.Float(n))
	case document.String:
		b.Text(d.Text(n))
	case document.Null, document.Missing:
		b.Null()
	}
}

func TestBuildSaysWhatJSONCannotHold(t *testing.T) {
	t.Parallel()
	var d document.Document
	b := d.Build()
	b.Begin(document.Array)
	b.Float(math.Inf(1))
	b.Float(math.NaN())
	b.Float(0.5)
	b.Uint(math.MaxUint64)
	b.End()
	if err := b.Finish(); err != nil {
		t.Fatal(err)
	}
	if got, want := string(d.Append(nil, document.Root)), "[null,null,0.5,18446744073709551615]"; got != want {
		t.Errorf("built %s, want %s", got, want)
	}
}

func TestBuildRefusesDepth(t *testing.T) {
	t.Parallel()
	var d document.Document
	for _, depth := range []int{document.MaxDepth, document.MaxDepth + 1} {
		b := d.Build()
		for range depth {
			b.Begin(document.Array)
		}
		for range depth {
			b.End()
		}
		if err, wrong := b.Finish(), depth > document.MaxDepth; (err != nil) != wrong {
			t.Errorf("depth %d: error %v", depth, err)
		}
	}
	if d.Kind(document.Root) != document.Missing {
		t.Error("a value that is nested too deep is still there")
	}
}
