package document

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func parsed(t *testing.T, text string) *Document {
	t.Helper()
	d := new(Document)
	if err := d.Parse([]byte(text)); err != nil {
		t.Fatalf("Parse(%s): %v", text, err)
	}
	return d
}

func TestParseRefusesWhatIsNotJSON(t *testing.T) {
	for _, test := range []struct {
		text   string
		offset int
		want   string
	}{
		{``, 0, "text ends where a value should be"},
		{`  `, 2, "text ends where a value should be"},
		{`{"a":1} x`, 8, "more text after the value"},
		{`nul`, 0, "no value starts like this"},
		{`NaN`, 0, "no value starts with this character"},
		{`{"a":Infinity}`, 5, "no value starts with this character"},
		{`{a:1}`, 1, `expected '"' of a field name`},
		{`{"a" 1}`, 5, "expected ':' after a field name"},
		{`{"a":1,}`, 7, `expected '"' of a field name`},
		{`{"a":1 "b":2}`, 7, "expected ',' or '}' after a field"},
		{`[1,]`, 3, "no value starts with this character"},
		{`[1 2]`, 3, "expected ',' or ']' after an element"},
		{`["a`, 3, "string has no end"},
		{`["a\`, 3, "string has no end"},
		{`["\q"]`, 2, "unknown escape sequence in a string"},
		{`["\u12g4"]`, 2, `\u needs four hexadecimal digits`},
		{"[\"a\nb\"]", 3, "control character in a string"},
		{"[\"long enough for a word\x01\"]", 24, "control character in a string"},
		{"[\"gr\xfcezi\"]", 4, "bytes are not valid UTF-8"},
		{`01`, 0, "malformed number"},
		{`1.`, 0, "malformed number"},
		{`1-2e`, 1, "more text after the value"},
		{`1e+`, 0, "malformed number"},
		{`-`, 0, "malformed number"},
		{`+1`, 0, "no value starts with this character"},
		{strings.Repeat("[", 10_000), 512, "arrays and objects are nested more than 512 deep"},
		{strings.Repeat(`{"a":`, 10_000), 2560, "arrays and objects are nested more than 512 deep"},
	} {
		var d Document
		err := d.Parse([]byte(test.text))
		syntax, ok := errors.AsType[*SyntaxError](err)
		if !ok || syntax.Offset != test.offset || syntax.Problem != test.want {
			t.Errorf("Parse(%.20q): got %v, want byte %d: %s", test.text, err, test.offset, test.want)
		}
		if d.Kind(Root) != Missing {
			t.Errorf("Parse(%.20q) failed but left a value", test.text)
		}
	}
}

func TestParseAcceptsTheNestingLimit(t *testing.T) {
	text := strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth)
	if got := string(parsed(t, text).Append(nil, Root)); got != text {
		t.Fatalf("got %s", got)
	}
}

// The limit is on nesting, not on how many arrays there are.
func TestParseAcceptsManyArrays(t *testing.T) {
	parsed(t, "["+strings.Repeat("[[]],{\"a\":{}},", 2*MaxDepth)+"0]")
}

func TestErrorsHoldNoPayload(t *testing.T) {
	for _, text := range []string{`{"a":canary}`, `canary`, `{"canary`, `["canary" "b"]`, `"\canary"`, `1canary`} {
		if err := new(Document).Parse([]byte(text)); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("Parse(%s): %v", text, err)
		}
	}
}

func TestReadFields(t *testing.T) {
	d := parsed(t, ` {"id":9007199254740993, "big":18446744073709551616, "f":1.5e3, "s":"a\"\u00e9\ud83d\ude00\ud800",
		"twice":1, "l":[10,[20],{"x":null}], "o":{"twice":true}, "tw\u0069ce":2, "n":null, "":"empty"} `)
	id, ok := d.Int(d.Field(Root, "id"))
	if !ok || id != 9007199254740993 {
		t.Errorf("id = %d, %v: an integer beyond 2^53 lost digits", id, ok)
	}
	if _, ok := d.Int(d.Field(Root, "big")); ok {
		t.Error("an integer beyond 64 bits was read as one")
	}
	if got := d.Go(d.Field(Root, "big")); got != 18446744073709551616.0 {
		t.Errorf("big = %v", got)
	}
	if got := d.Float(d.Field(Root, "f")); got != 1500 {
		t.Errorf("f = %v", got)
	}
	if got := string(d.Text(d.Field(Root, "s"))); got != "a\"é😀\uFFFD" {
		t.Errorf("s = %q", got)
	}
	if got, _ := d.Int(d.Field(Root, "twice")); got != 2 {
		t.Errorf("twice = %d, want the last one", got)
	}
	list := d.Field(Root, "l")
	for index, want := range map[int]any{0: 10, -3: 10, 1: []any{20}, -1: map[string]any{"x": nil}, 3: nil, -4: nil} {
		if got := d.Go(d.Element(list, index)); !reflect.DeepEqual(got, want) {
			t.Errorf("l[%d] = %v, want %v", index, got, want)
		}
	}
	for _, missing := range []Node{
		d.Field(Root, "nope"), d.Field(list, "x"), d.Field(None, "x"), d.Element(Root, 0), d.Element(None, 0),
	} {
		if d.Kind(missing) != Missing {
			t.Errorf("node %d is not missing", missing)
		}
	}
	if d.Kind(d.Field(Root, "n")) != Null || string(d.Text(d.Field(Root, ""))) != "empty" {
		t.Error("null or the empty name misread")
	}
}

// Two texts with escapes are held at the same time; Text would write the second over the first.
func TestTextInKeepsTheTextsBefore(t *testing.T) {
	d := parsed(t, `["a\"","\u00e9b","plain",5]`)
	var arena []byte
	texts := make([][]byte, 4)
	for i := range texts {
		texts[i], arena = d.TextIn(arena, d.Element(Root, i))
	}
	if string(texts[0]) != `a"` || string(texts[1]) != "éb" || string(texts[2]) != "plain" || texts[3] != nil {
		t.Errorf("got %q", texts)
	}
	if string(arena) != `a"éb` {
		t.Errorf("the arena holds %q", arena)
	}
	if text, _ := d.TextIn(nil, None); text != nil {
		t.Errorf("a missing value has text %q", text)
	}
}

func TestLength(t *testing.T) {
	d := parsed(t, `[[],[1,[2,3],{"a":1}],{"a":1}]`)
	for i, want := range []int{0, 3, 0, 0} {
		if got := d.Length(d.Element(Root, i)); got != want {
			t.Errorf("element %d: got %d, want %d", i, got, want)
		}
	}
}

func TestTheLastOfARepeatedNameCounts(t *testing.T) {
	for _, text := range []string{
		`{"a":1,"a":2}`, `{"\u0061":1,"a":2}`, `{"a":1,"\u0061":2}`, `{"\u0061":1,"\u0061":2}`, `{"a":1,"a":3,"b":0,"a":2,"A":4}`,
	} {
		d := parsed(t, text)
		if got, _ := d.Int(d.Field(Root, "a")); got != 2 {
			t.Errorf("%s: a = %d", text, got)
		}
	}
}

// Both are unescaped into the same buffer.
func TestNameAndValueWithEscapes(t *testing.T) {
	got := parsed(t, `{"\u0061":"\u0062"}`).Go(Root)
	if want := map[string]any{"a": "b"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v, want %#v", got, want)
	}
}

func TestAppendKeepsScalarsAndDropsSpace(t *testing.T) {
	text := " { \"b\" : [ 1.50 , 9007199254740993 , \"\\u00e9\\/\" , { } , [ ] ] ,\n\"a\" : { \"x\" : null , \"x\" : true } } "
	want := `{"b":[1.50,9007199254740993,"\u00e9\/",{},[]],"a":{"x":null,"x":true}}`
	if got := string(parsed(t, text).Append([]byte("> "), Root)); got != "> "+want {
		t.Errorf("got %s", got)
	}
}

func TestAppendGo(t *testing.T) {
	for _, test := range []struct {
		value any
		want  string
	}{
		{nil, `null`},
		{true, `true`},
		{math.MaxInt64, `9223372036854775807`},
		{3.0, `3`},
		{1e21, `1e+21`},
		{-1.5e-7, `-1.5e-07`},
		{"a\"\\\n\t\r\x01<é", `"a\"\\\n\t\r\u0001<é"`},
		{[]byte("bytes"), `"bytes"`},
		{[]any{1, "x", nil, []any{}}, `[1,"x",null,[]]`},
		{[]string{"a", "b"}, `["a","b"]`},
		{map[string]any{"b": 1, "a": map[string]any{}}, `{"a":{},"b":1}`},
		{map[any][]any{2: {1}, "x": nil, true: {2}}, `{"2":[1],"true":[2],"x":[]}`},
		{time.Date(2026, 11, 22, 1, 2, 3, 4000, time.UTC), `"2026-11-22T01:02:03.000004Z"`},
		{90 * time.Second, `"1m30s"`},
		{time.March, `3`},
		{uint8(7), `7`},
	} {
		got, err := AppendGo(nil, test.value)
		if err != nil || string(got) != test.want {
			t.Errorf("AppendGo(%v) = %s, %v; want %s", test.value, got, err, test.want)
		}
	}
}

func TestAppendFloat(t *testing.T) {
	if got, err := AppendFloat([]byte("> "), 1e21); err != nil || string(got) != "> 1e+21" {
		t.Errorf("got %s, %v", got, err)
	}
	if got, err := AppendFloat([]byte("> "), math.NaN()); err == nil || string(got) != "> " {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestAppendGoRefusesWhatJSONCannotHold(t *testing.T) {
	deep := any(1)
	for range MaxDepth + 1 {
		deep = []any{deep}
	}
	for name, value := range map[string]any{
		"invalid UTF-8": "canary\xff", "inner": []any{map[string]any{"a": "canary\xff"}}, "name": map[string]any{"canary\xff": 1},
		"infinite": math.Inf(1), "not a number": math.NaN(), "deep": deep, "function": func() {}, "struct": struct{ A int }{1},
	} {
		if got, err := AppendGo(nil, value); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: got %s, %v", name, got, err)
		}
	}
}

func TestReuseKeepsNothingOfTheLastValue(t *testing.T) {
	d := parsed(t, `{"a":[1,2,3]}`)
	if err := d.Parse([]byte(`{"b":1}`)); err != nil {
		t.Fatal(err)
	}
	if d.Kind(d.Field(Root, "a")) != Missing {
		t.Error("a is still there")
	}
	if err := d.Parse([]byte("[" + strings.Repeat("1,", 2*maxKept) + "1]")); err != nil {
		t.Fatal(err)
	}
	if d.Reset(); cap(d.entries) > maxKept || d.src != nil {
		t.Errorf("keeps %d nodes after a huge value", cap(d.entries))
	}
}

func BenchmarkParse(b *testing.B) {
	src := []byte(`{"event_id":"0f9a3c6e-7c31-4a8e-9f0a-1c2d3e4f5a6b","user_id":"user-123456","page_id":"page-42","ad_id":"ad-9911",` +
		`"ad_type":"banner","event_type":"view","event_time":1790000000123,"ip_address":"10.20.30.40","price":1.25,"tags":["a","b"]}`)
	names := NamesOf("event_type", "ad_id", "event_time")
	for name, parse := range map[string]func(d *Document, src []byte) error{
		"all":          (*Document).Parse,
		"three_fields": func(d *Document, src []byte) error { return d.ParseFields(src, names) },
	} {
		b.Run(name, func(b *testing.B) {
			var d Document
			b.SetBytes(int64(len(src)))
			b.ReportAllocs()
			for b.Loop() {
				if parse(&d, src) != nil || d.Field(Root, "event_type") == None {
					b.Fatal("misread")
				}
			}
		})
	}
}
