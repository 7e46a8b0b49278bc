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
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		var d Document
		err := d.Parse(src)
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
