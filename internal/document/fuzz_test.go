package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzParse holds the parser to encoding/json: the same texts are valid, with the same value, except for the nesting
// limit and invalid UTF-8, which encoding/json replaces.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,-0.5e-3,"x\u00e9\n"],"b":{"c":null},"a":true}`, `"\ud83d\ude00\ud800\u0041"`, " [ ] ", `{"":{}}`,
		"\"\xff\"", `1e999`, `-0`, `123456789012345678901234567890`, strings.Repeat("[", 600), "\"aaaaaaaa\x00\"", "nulL",
		`{"b":{"a":[1,{"a":2}]},"a":{"b":3,"a":[]},"\u0061":{"b":1},"c":[[{"a":1}]]}`, "{\"\xff\":1,\"a\":2}", `{"b":[{"a":}],"a":1}`, `[{"a":1,"b":2}]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		var d Document
		err := d.Parse(src)
		checkFields(t, src, &d, err)
		valid := json.Valid(src) && utf8.Valid(src)
		if err != nil {
			if valid && !strings.Contains(err.Error(), "nested") {
				t.Fatalf("refused valid JSON: %v", err)
			}
			return
		}
		if !valid {
			t.Fatal("accepted invalid JSON")
		}
		var want any
		decoder := json.NewDecoder(bytes.NewReader(src))
		decoder.UseNumber()
		if err := decoder.Decode(&want); err != nil {
			t.Fatal(err)
		}
		if got := d.Go(Root); !reflect.DeepEqual(got, numbers(want)) {
			t.Fatalf("got %#v, want %#v", got, numbers(want))
		}
		checkWritten(t, &d)
	})
}

// checkFields holds ParseFields to Parse: the same texts are valid, and the fields that were asked for have the same values.
func checkFields(t *testing.T, src []byte, whole *Document, err error) {
	t.Helper()
	var some Document
	names := NamesOf("a", "\u00e9")
	_ = some.ParseFields([]byte(`{"a":1,"b":2,"c":3}`), names) // what it guesses from, and then from src itself
	for range 2 {
		if got := some.ParseFields(src, names); !reflect.DeepEqual(got, err) {
			t.Fatalf("of some fields: %v, of all: %v", got, err)
		}
	}
	for _, name := range []string{"a", "\u00e9"} {
		got, want := some.Field(Root, name), whole.Field(Root, name)
		if !reflect.DeepEqual(some.Go(got), whole.Go(want)) || some.Kind(Root) != whole.Kind(Root) {
			t.Fatalf("field %q: got %#v, want %#v", name, some.Go(got), whole.Go(want))
		}
	}
	if whole.Kind(Root) == Array && !reflect.DeepEqual(some.Go(Root), whole.Go(Root)) {
		t.Fatalf("array: got %#v, want %#v", some.Go(Root), whole.Go(Root))
	}
}

// checkWritten reads back both ways of writing.
func checkWritten(t *testing.T, d *Document) {
	t.Helper()
	want := d.Go(Root)
	var again Document
	if err := again.Parse(d.Append(nil, Root)); err != nil || !reflect.DeepEqual(again.Go(Root), want) {
		t.Fatalf("copied: got %#v, %v; want %#v", again.Go(Root), err, want)
	}
	text, err := AppendGo(nil, want)
	if errors.Is(err, errNotFinite) {
		return
	}
	if err == nil {
		err = again.Parse(text)
	}
	if err != nil || !reflect.DeepEqual(toFloat(again.Go(Root)), toFloat(want)) {
		t.Fatalf("written: %s, %v; want %#v", text, err, want)
	}
}

// numbers turns json.Number into int where it fits and float64 elsewhere.
func numbers(value any) any {
	return convert(value, func(v any) any {
		number, ok := v.(json.Number)
		if !ok {
			return v
		}
		if i, err := number.Int64(); err == nil {
			return int(i)
		}
		f, _ := number.Float64()
		return f
	})
}

// toFloat makes 3 and 3.0 the same: a float without fraction is written as an integer.
func toFloat(value any) any {
	return convert(value, func(v any) any {
		if i, ok := v.(int); ok {
			return float64(i)
		}
		return v
	})
}

func convert(value any, leaf func(any) any) any {
	switch v := value.(type) {
	case []any:
		for i := range v {
			v[i] = convert(v[i], leaf)
		}
	case map[string]any:
		for key := range v {
			v[key] = convert(v[key], leaf)
		}
	default:
		return leaf(v)
	}
	return value
}
