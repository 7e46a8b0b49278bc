package expression

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/document"
)

func row(t testing.TB, text string) *document.Document {
	t.Helper()
	var parsed document.Document
	if err := parsed.Parse([]byte(text)); err != nil {
		t.Fatal(err)
	}
	built := new(document.Document)
	b := built.Build()
	build(&b, &parsed, document.Root)
	if err := b.Finish(); err != nil {
		t.Fatal(err)
	}
	return built
}

func build(b *document.Builder, d *document.Document, n document.Node) {
	switch kind := d.Kind(n); kind {
	case document.Array, document.Object:
		b.Begin(kind)
		for name, value := range d.Children(n) {
			if name != document.None {
				b.Name(string(d.Text(name)))
			}
			build(b, d, value)
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
	default:
		b.Null()
	}
}

// joinedRecord has a decoded key, one joined row, and one join that found no row.
func joinedRecord(t testing.TB) *Record {
	r := record(t, `{"ad":{"own":1},"n":7,"user":{"name":"Ann"}}`)
	if err := r.Key.Parse([]byte(`{"id":7,"tags":["a"],"big":9007199254740993}`)); err != nil {
		t.Fatal(err)
	}
	r.Joined = []*document.Document{row(t, `{"campaign":"c\"1","n":5,"deep":{"a":[1,2]}}`), nil}
	return r
}

func joinedScope() Scope { return Scope{Value: Fields, Key: Fields, Joined: []string{"ad", "none"}} }

func TestJoinedRowsAndDecodedKeys(t *testing.T) {
	r := joinedRecord(t)
	for text, want := range map[string]string{
		`ad.campaign`: `"c\"1"`, `ad.n + n`: `12`, `ad`: `{"campaign":"c\"1","n":5,"deep":{"a":[1,2]}}`, `ad.own`: `null`, `ad.deep.a[-1]`: `2`,
		`$env.ad.n`: `5`, `$env["ad"].n`: `5`, `$env?.ad?.n`: `5`, `let ad = {"n": 1}; ad.n`: `1`, `ad["n"]`: `5`, `ad["camp" + "aign"]`: `"c\"1"`,
		`none`: `null`, `none.x`: `null`, `none == nil`: `true`, `none.x > 1`: `false`, `none.x ?? "d"`: `"d"`, `ad != nil && ad.n == 5`: `true`,
		`meta.key`: `{"id":7,"tags":["a"],"big":9007199254740993}`, `meta.key.id`: `7`, `meta.key.tags[0]`: `"a"`, `meta.key.nope`: `null`,
		`meta.key.big`: `9007199254740993`, `meta.key["id"] + 1`: `8`, `upper(ad.campaign)`: `"C\"1"`, `$env["a" + "d"].own`: `1`,
	} {
		p, err := Compile(text, joinedScope())
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := new(Evaluator).Append(nil, p, r); err != nil || string(got) != want {
			t.Errorf("%s = %s, %v; want %s", text, got, err, want)
		}
	}
	r.Joined = nil // a caller that joins nothing need not make room
	p, err := Compile(`ad.campaign`, joinedScope())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := new(Evaluator).Append(nil, p, r); err != nil || string(got) != "null" {
		t.Errorf("got %s, %v", got, err)
	}
}

// A value that is not decoded has no fields, but rows joined to it have.
func TestJoinedRowsBesideAValueWithoutFields(t *testing.T) {
	r := joinedRecord(t)
	for _, shape := range []Shape{Opaque, Text} {
		scope := Scope{Value: shape, Joined: []string{"ad"}}
		for _, text := range []string{`ad.n + 1`, `$env.ad.n + 1`} {
			p, err := Compile(text, scope)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := new(Evaluator).Append(nil, p, r); err != nil || string(got) != "6" || p.ReadsValue() {
				t.Errorf("%s = %s, %v; reads the value: %v", text, got, err, p.ReadsValue())
			}
		}
		if _, err := Compile(`nope.n`, scope); err == nil {
			t.Error("a name that is not joined is a field of a value without fields")
		}
	}
}

func TestWhatAProgramReads(t *testing.T) {
	for _, test := range []struct {
		text              string
		value, whole, key bool
		fields            string
	}{
		{`1 + 1`, false, false, false, ``},
		{`meta.offset > 1 && meta.headers.trace == "x" && meta.headers["x y"] != nil`, false, false, false, `meta.headers.trace meta.headers["x y"] meta.offset`},
		{`user.name == "x" || user.name == "y"`, true, false, false, `user.name`},
		{`ad.campaign + none`, false, false, false, `ad.campaign none`},
		{`$env.ad.campaign`, false, false, false, `ad.campaign`},
		{`$env.n + $env["event-type"]`, true, false, false, `$env["event-type"] n`},
		{`$env["meta"].x[0]["a b"] ?? $env["in"] ?? tags[-1]`, true, false, false, `$env.in $env.meta.x[0]["a b"] tags[-1]`},
		{`$env`, true, true, false, `$env`},
		{`$env["a" + "b"]`, true, true, false, `$env`},
		{`keys($env)`, true, true, false, `$env`},
		{`$env[0]`, true, false, false, `$env[0]`},
		{`meta.key.id + n`, true, false, true, `meta.key.id n`},
		{`meta.key`, false, false, true, `meta.key`},
		{`let x = n; x`, true, false, false, `n`},
		{`map(items, .sku)`, true, false, false, `items`},
	} {
		p, err := Compile(test.text, joinedScope())
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		fields := strings.Join(p.Fields(), " ")
		for _, field := range p.Fields() { // what is shown can be written
			if again, err := Compile(field, joinedScope()); err != nil || !slices.Equal(again.Fields(), []string{field}) {
				t.Errorf("%s of %s: %v", field, test.text, err)
			}
		}
		if p.ReadsValue() != test.value || p.ReadsWhole() != test.whole || p.ReadsKey() != test.key || fields != test.fields {
			t.Errorf("%s: value %v, whole %v, key %v, fields %s", test.text, p.ReadsValue(), p.ReadsWhole(), p.ReadsKey(), fields)
		}
	}
	p, err := Compile(`value contains "x" || meta.key == "y"`, Scope{Value: Text})
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Fields(); !slices.Equal(got, []string{"meta.key", "value"}) || p.ReadsKey() || p.ReadsWhole() {
		t.Errorf("reads %v, key %v, whole %v", got, p.ReadsKey(), p.ReadsWhole())
	}
	got := p.Fields()
	got[0] = "changed"
	if p.Fields()[0] != "meta.key" {
		t.Error("Fields hands out the program's own memory")
	}
}

func TestValueAndText(t *testing.T) {
	r := record(t, ad)
	for _, test := range []struct {
		text string
		want Value
		out  string // as plain text; "-" for nil, "!" for an error
	}{
		{`nope`, Value{Kind: document.Null}, `-`},
		{`nul`, Value{Kind: document.Null}, `-`},
		{`nope ?? nil`, Value{Kind: document.Null}, `-`},
		{`ok`, Value{Kind: document.True}, `true`},
		{`no`, Value{Kind: document.False}, `false`},
		{`not ok`, Value{Kind: document.False}, `false`},
		{`n`, Value{Kind: document.Integer, Int: 7}, `7`},
		{`n + 1`, Value{Kind: document.Integer, Int: 8}, `8`},
		{`id`, Value{Kind: document.Integer, Int: 9007199254740993}, `9007199254740993`},
		{`big`, Value{Kind: document.Float, Float: 18446744073709551616}, `18446744073709551616`},
		{`price`, Value{Kind: document.Float, Float: 2.5}, `2.5`},
		{`price * 2`, Value{Kind: document.Float, Float: 5}, `5`},
		{`event_type`, Value{Kind: document.String, Text: []byte("view")}, `view`},
		{`text`, Value{Kind: document.String, Text: []byte("grüezi")}, `grüezi`},
		{`upper(event_type)`, Value{Kind: document.String, Text: []byte("VIEW")}, `VIEW`},
		{`empty`, Value{Kind: document.String, Text: []byte("")}, ``},
		{`meta.key`, Value{Kind: document.String, Text: []byte("k1")}, `k1`},
		{`date(when)`, Value{Kind: document.String, Text: []byte("2026-11-22T10:00:00Z")}, `2026-11-22T10:00:00Z`},
		{`duration("90m")`, Value{Kind: document.String, Text: []byte("1h30m0s")}, `1h30m0s`},
		{`date(when).Month()`, Value{Kind: document.Integer, Int: 11}, `11`},
		{`user.tags`, Value{Kind: document.Array}, `!`},
		{`user`, Value{Kind: document.Object}, `!`},
		{`[n]`, Value{Kind: document.Array}, `!`},
		{`{"a": n}`, Value{Kind: document.Object}, `!`},
		{`meta.headers`, Value{Kind: document.Object}, `!`},
		{`split("a,b", ",")`, Value{Kind: document.Array}, `!`},
	} {
		p, err := Compile(test.text, Scope{Value: Fields})
		if err != nil {
			t.Fatal(err)
		}
		var e Evaluator
		got, err := e.Value(p, r)
		if err != nil || got.Kind != test.want.Kind || got.Int != test.want.Int || got.Float != test.want.Float || string(got.Text) != string(test.want.Text) {
			t.Errorf("%s: got %+v, %v", test.text, got, err)
		}
		out, found, err := e.AppendText([]byte("> "), p, r)
		plain := strings.TrimPrefix(string(out), "> ")
		switch _, refused := errors.AsType[*EncodeError](err); {
		case refused:
			plain = "!"
		case err != nil:
			t.Errorf("%s: %v", test.text, err)
		case !found && plain == "":
			plain = "-"
		}
		if plain != test.out {
			t.Errorf("%s as text: got %q, %v, %v", test.text, plain, found, err)
		}
	}
}

func TestValueErrors(t *testing.T) {
	r := record(t, ad)
	var e Evaluator
	for text, want := range map[string]string{`n + event_type`: "column 3: invalid operation: int + string", `upper(nope)`: "column 7: upper of nil; write ?? and a default behind the field"} {
		p, err := Compile(text, Scope{Value: Fields})
		if err != nil {
			t.Fatal(err)
		}
		_, err = e.Value(p, r)
		_, _, textErr := e.AppendText(nil, p, r)
		for _, err := range []error{err, textErr} {
			if _, ok := errors.AsType[*EvalError](err); !ok || err.Error() != want {
				t.Errorf("%s: got %v", text, err)
			}
		}
	}
	for _, text := range []string{`timezone("UTC")`, `1 / 0`} {
		p, err := Compile(text, Scope{Value: Fields})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := e.AppendText(nil, p, r); err == nil {
			t.Errorf("%s has a text", text)
		} else if _, ok := errors.AsType[*EncodeError](err); !ok {
			t.Errorf("%s: %T", text, err)
		}
	}
}

func TestTextShape(t *testing.T) {
	p, err := Compile(`value contains "b" ? upper(value) : $env`, Scope{Value: Text})
	if err != nil {
		t.Fatal(err)
	}
	r := &Record{Source: &kgo.Record{}}
	for text, want := range map[string]string{`a"b`: `"A\"B"`, `a\`: `"a\\"`} {
		r.Value.SetText([]byte(text))
		if got, err := new(Evaluator).Append(nil, p, r); err != nil || string(got) != want {
			t.Errorf("%s: got %s, %v", text, got, err)
		}
	}
	whole, err := Compile(`value`, Scope{Value: Text})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := new(Evaluator).Append(nil, whole, r); err != nil || string(got) != `"a\\"` && string(got) != `"a\"b"` {
		t.Errorf("got %s, %v", got, err)
	}
}
