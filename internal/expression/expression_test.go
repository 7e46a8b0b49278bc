package expression

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"streamer/internal/document"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ad is the record that the tables below look into.
const ad = `{"event_type":"view","price":2.5,"n":7,"id":9007199254740993,"big":18446744073709551616,"ok":true,"no":false,
	"type":"banner","count":3,"first":"f","duration":"10s","now":5,"event-type":"dashed","meta":{"own":1},
	"user":{"name":"Ann","tags":["a","b"],"address":{"zip":8001}},"items":[{"sku":"x","price":5,"live":true},{"sku":"y","price":1}],
	"empty":"","nul":null,"text":"gr\u00fcezi","when":"2026-11-22T10:00:00Z","json":"{\"a\":9007199254740993}"}`

func record(t testing.TB, value string) *Record {
	t.Helper()
	r := &Record{Source: &kgo.Record{
		Topic: "events", Partition: 3, Offset: 42, Key: []byte("k1"), Timestamp: time.UnixMilli(1790000000123),
		Headers: []kgo.RecordHeader{
			{Key: "trace", Value: []byte("old")}, {Key: "trace", Value: []byte("t1")}, {Key: "x-null"},
		},
	}}
	if err := r.Value.Parse([]byte(value)); err != nil {
		t.Fatal(err)
	}
	return r
}

// evaluate returns the result as JSON, or the error.
func evaluate(t testing.TB, text string, r *Record) (string, error) {
	t.Helper()
	p, err := Compile(text, Scope{Value: Fields})
	if err != nil {
		t.Fatalf("Compile(%s): %v", text, err)
	}
	var e Evaluator
	out, err := e.Append(nil, p, r)
	return string(out), err
}

func TestValues(t *testing.T) {
	for text, want := range map[string]string{
		// fields shadow built-ins; built-ins only when called
		`event_type`: `"view"`, `type`: `"banner"`, `count`: `3`, `first`: `"f"`, `duration`: `"10s"`, `now`: `5`, `len`: `null`,
		`type(type)`: `"string"`, `count(items, .live)`: `1`, `first(user.tags)`: `"a"`, `upper(first)`: `"F"`,
		`type + "-" + string(count)`: `"banner-3"`, `duration(duration)`: `"10s"`, `event_type | upper()`: `"VIEW"`,
		`$env["event-type"]`: `"dashed"`, `$env["meta"].own`: `1`, `$env["meta"]["own"]`: `1`, `$env.n`: `7`, `$env["n" + ""]`: `7`,
		// comparisons that share what stands in the middle
		`1 < n + 1 < 9`: `true`, `7 < n + 1 <= count`: `false`, `0 < len(user.tags) < count < n - 1`: `true`, `1 < n < 7`: `false`,
		// metadata
		`meta.topic`: `"events"`, `meta.partition`: `3`, `meta.offset`: `42`, `meta.timestamp`: `1790000000123`, `meta.key`: `"k1"`,
		`meta.headers.trace`: `"t1"`, `meta.headers["trace"]`: `"t1"`, `meta.headers.nope`: `null`, `meta.headers["x-null"]`: `null`,
		`meta.headers`: `{"trace":"t1","x-null":null}`, `meta["topic"]`: `"events"`, `"trace" in meta.headers`: `true`,
		`let meta = {"topic": 1}; meta.topic`: `1`, `meta.headers["tra" + "ce"]`: `"t1"`, `meta.partition + 1`: `4`,
		// missing is nil, and so are its parts
		`nope`: `null`, `nope.a.b`: `null`, `user.nope?.x`: `null`, `event_type.x`: `null`, `user.tags[5]`: `null`, `user.tags[-1]`: `"b"`,
		`nope ?? "x"`: `"x"`, `nul ?? 1`: `1`, `user["na" + "me"]`: `"Ann"`, `items[n - 6].sku`: `"y"`, `items[n].sku`: `null`,
		`nope == nil`: `true`, `nul == nil`: `true`, `empty == nil`: `false`, `nope != 1`: `true`, `user.tags.x`: `null`, `user[0]`: `null`,
		// conditions and ordered comparisons with nil
		`nope > 1`: `false`, `nope <= 1`: `false`, `1 > nope`: `false`, `nope < nul`: `false`, `not (nope > 1)`: `true`, `!nope`: `true`,
		`nope && ok`: `false`, `ok || nope`: `true`, `nope ? 1 : 2`: `2`, `filter(items, .live) | map(.sku)`: `["x"]`, `any(items, .nope)`: `false`,
		`find(items, .nope)`: `null`, `filter(items, .price > nope)`: `[]`, `price > 1 and price < 3`: `true`, `1 < n < 9`: `true`,
		`if nope { 1 } else { 2 }`: `2`, `nope contains "x"`: `false`, `nope matches "x"`: `false`, `nope startsWith "x"`: `false`,
		`nope in ["", "a"]`: `false`, `n in ["a"]`: `false`, `n in 1..9`: `true`, `nope in 1..9`: `false`, `nil in [nope]`: `true`, `"b" in user.tags`: `true`,
		`type(nope)`: `"nil"`, `get(nope, "a")`: `null`, `get(user, "name")`: `"Ann"`,
		// where expr's checker is sure of a type that a branch does not have
		`(no ? 1 : nope) > 2`: `false`, `(no ? 1 : nil) <= 2`: `false`, `(no ? 1 : event_type) == 1`: `false`, `(no ? "a" : n) != "a"`: `true`,
		`(no ? true : nope) ? 1 : 2`: `2`, `(no ? true : nil) || ok`: `true`, `not (no ? true : nope)`: `true`, `let x = (no ? 1 : nil); x > 2`: `false`,
		`find([1], # > 2) > 3`: `false`, `findIndex([1], # > 2) > 3`: `false`, `get([1], 5) > 1`: `false`, `max(1, 2.5) == 2.5`: `true`,
		`any([no ? 1 : nil], # > 1)`: `false`, `("a"; no ? 1 : nope) > 2`: `false`, `(nil ?? (no ? 1 : nope)) > 2`: `false`,
		// numbers
		`id`: `9007199254740993`, `id + 0`: `9007199254740993`, `id + 1`: `9007199254740994`, `id == 9007199254740993`: `true`, `id == 9007199254740992`: `false`,
		`big`: `18446744073709551616`, `big + 0`: `18446744073709552000`, `price`: `2.5`, `price * 2`: `5`, `n / 2`: `3.5`, `n % 2`: `1`, `7 == 7.0`: `true`, `n == 7.0`: `true`,
		`fromJSON(json).a`: `9007199254740993`, `-n`: `-7`, `+n`: `7`, `sum(items, .price)`: `6`,
		// order does not depend on Go's maps
		`keys(items[0])`: `["live","price","sku"]`, `values({"b": 1, "a": 2})`: `[2,1]`, `toPairs({"b": 1, "a": 2})`: `[["a",2],["b",1]]`,
		`{"b": 1, "a": nope}`: `{"a":null,"b":1}`, `groupBy(items, .price)`: `{"1":[{"price":1,"sku":"y"}],"5":[{"live":true,"price":5,"sku":"x"}]}`,
		// copies keep the order and the digits
		`user`: `{"name":"Ann","tags":["a","b"],"address":{"zip":8001}}`, `text`: `"gr\u00fcezi"`, `text + ""`: `"grüezi"`, `user.tags`: `["a","b"]`,
		// time
		`date(when).Year()`: `2026`, `date(when) + duration(duration)`: `"2026-11-22T10:00:10Z"`, `date(when).Unix()`: `1795341600`,
		`date("2026-11-22", "2006-01-02", "Europe/Zurich")`: `"2026-11-22T00:00:00+01:00"`, `date(timezone("UTC"), "2026-11-22")`: `"2026-11-22T00:00:00Z"`,
		`date("22 Nov 26 10:00 CET").Unix()`: `1795341600`, `date(when).Add(duration("1h")).Hour()`: `11`,
		`let x = n; x + x`: `14`, `let n = n; n`: `7`, `(let x = n; x) + (x ?? 1)`: `8`, `"a"; n`: `7`, `user.name[0:1]`: `"A"`, `split("a,b", ",")[1]`: `"b"`, `split("a,b", ",")[5]`: `null`,
		`map(items, ({"s": .sku}))[1].s`: `"y"`, `reduce(items, #acc + .price, 0)`: `6`, `user.name contains "nn"`: `true`,
	} {
		if got, err := evaluate(t, text, record(t, ad)); err != nil || got != want {
			t.Errorf("%s = %s, %v; want %s", text, got, err, want)
		}
	}
}

// An abbreviation such as CET means something only in some zones of a machine; the result must not depend on which.
func TestTimesDoNotDependOnTheMachine(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Zurich")
	if err != nil {
		t.Fatal(err)
	}
	before := time.Local                      //nolint:gosmopolitan // it is what the test is about
	t.Cleanup(func() { time.Local = before }) //nolint:gosmopolitan // as above
	for _, local := range []*time.Location{time.UTC, zone} {
		time.Local = local //nolint:gosmopolitan // as above
		for text, want := range map[string]string{
			`date("22 Nov 26 10:00 CET").Unix()`: `1795341600`, `date(when)`: `"2026-11-22T10:00:00Z"`, `date("2026-11-22")`: `"2026-11-22T00:00:00Z"`,
		} {
			if got, err := evaluate(t, text, record(t, ad)); err != nil || got != want {
				t.Errorf("in %v: %s = %s, %v; want %s", local, text, got, err, want)
			}
		}
	}
}

func TestEvalErrors(t *testing.T) {
	for text, want := range map[string]string{
		`nope + 1`:                          "column 6: invalid operation: nil + int",
		`upper(no ? "a" : nope)`:            "column 22: upper of nil; write ?? and a default behind the field",
		`price * nope`:                      "column 7: invalid operation: float * nil",
		`-nope`:                             "column 1: invalid operation: - nil",
		`+nope`:                             "column 1: invalid operation: + nil",
		`event_type + 1`:                    "column 12: invalid operation: string + int",
		`string(nope)`:                      "column 8: string of nil; write ?? and a default behind the field",
		`upper(user.nope)`:                  "column 12: upper of nil; write ?? and a default behind the field",
		`max(n, nope)`:                      "column 8: max of nil; write ?? and a default behind the field",
		`sum(nope)`:                         "column 5: sum of nil; write ?? and a default behind the field",
		`filter(nope, .x)`:                  "column 8: filter of nil; write ?? and a default behind the field",
		`len(n)`:                            "column 1: operation failed on this value",
		`event_type > 1`:                    "column 12: invalid operation: string > int",
		`event_type && ok`:                  "column 1: condition is string, not true or false",
		`!n`:                                "column 2: condition is int, not true or false",
		`n ? 1 : 2`:                         "column 1: condition is int, not true or false",
		`n contains "x"`:                    "column 3: value is int, not string",
		`n % (n - 7)`:                       "column 3: division by zero",
		`int(event_type)`:                   "column 1: operation failed on this value",
		`fromJSON(event_type)`:              "column 1: fromJSON: invalid JSON at byte 0: no value starts with this character",
		`date(nope)`:                        "column 1: date of nil; write ?? and a default behind the field",
		`date(when).Add(nope)`:              "column 16: Add of nil; write ?? and a default behind the field",
		`timezone("Local")`:                 `column 1: the zone "Local" depends on the machine; write a name such as "Europe/Zurich"`,
		`date(when, "2006", "Local")`:       `column 1: the zone "Local" depends on the machine; write a name such as "Europe/Zurich"`,
		`timezone(nope)`:                    "column 1: timezone of nil; write ?? and a default behind the field",
		`keys(n)`:                           "column 1: keys of int; it needs an object",
		`event_type[n]`:                     "column 11: a string has no parts; write a slice such as name[0:1]",
		`user[n]`:                           "column 5: field name is int, not string",
		`user.tags[price]`:                  "column 10: list index is float, not int",
		"\nn +\n event_type":                "line 2, column 3: invalid operation: int + string",
		`map(1..100, repeat(type, 100000))`: "column 13: expression makes too large a value",
	} {
		out, err := evaluate(t, text, record(t, ad))
		if failed, ok := errors.AsType[*EvalError](err); !ok || failed.Error() != want {
			t.Errorf("%s: got %s, %v; want %s", text, out, err, want)
		}
	}
}

func TestEncodeErrors(t *testing.T) {
	r := record(t, ad)
	r.Source.Key = []byte("canary\xff")
	for _, text := range []string{`meta.key`, `{"a": meta.key}`, `1 / 0`, `meta.key + ""`} {
		if out, err := evaluate(t, text, r); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s = %s, %v", text, out, err)
		} else if _, ok := errors.AsType[*EncodeError](err); !ok {
			t.Errorf("%s: %v is not an EncodeError", text, err)
		}
	}
}

// TestErrorsHoldNoPayload runs what makes expr's machine quote a value in its message.
func TestErrorsHoldNoPayload(t *testing.T) {
	r := record(t, `{"s":"canary","l":["canary"],"o":{"canary":"canary"}}`)
	for _, text := range []string{
		`int(s)`, `float(s)`, `date(s)`, `duration(s)`, `timezone(s)`, `fromJSON(s)`, `fromBase64(s + "!")`, `s matches (s + "(")`, `l[0:s]`,
		`o[0:1]`, `sort(l, s)`, `sortBy(l, #, s)`, `s.canary()`, `l + o`, `s - l`, `fromPairs(l)`, `abs(s)`, `s < 1`, `s ? 1 : 2`, `join(o)`, `o < l`,
	} {
		if out, err := evaluate(t, text, r); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s = %s, %v", text, out, err)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	for _, test := range []struct {
		text  string
		shape Shape
		want  string
	}{
		{``, Fields, `column 1: expression is empty; write a field or a comparison`},
		{`a ==`, Fields, `column 4: the expression ends too early`},
		{`a = 1`, Fields, `column 3: unexpected "="; write == to compare`},
		{"a ==\n  )", Fields, `line 2, column 3: unexpected ")"`},
		{`now()`, Fields, `column 1: now() is off: the same records must always give the same result; use meta.timestamp, milliseconds since 1970`},
		{`uper(a)`, Fields, `column 1: there is no function uper; did you mean upper?`},
		{`frobnicate(a)`, Fields, `column 1: there is no function frobnicate; see docs/expressions.md for the functions`},
		{`a.b(1).Local()`, Fields, `column 8: the result would depend on the machine's time zone; write In(timezone("Europe/Zurich"))`},
		{`1 + "a"`, Fields, `column 3: invalid operation: + (mismatched types int and string)`},
		{`upper(1)`, Fields, `column 7: cannot use int as argument (type string) to call upper `},
		{`a matches "("`, Fields, "column 3: error parsing regexp: missing closing ): `(`"},
		{`meta`, Fields, `column 1: meta alone is not a value; write one of meta.topic, meta.partition, meta.offset, meta.timestamp, meta.key, ` +
			`meta.headers; the value's own field is $env["meta"]`},
		{`1 + meta.ofset`, Fields, `column 10: there is no meta.ofset; did you mean meta.offset? The value's own field is $env["meta"]`},
		{`meta.key.x`, Fields, `column 10: the key is not decoded, so it has no parts; write it without what follows, or decode: {key: json}`},
		{`meta.topic.x`, Fields, `column 12: this part of meta is a single value; write it without what follows`},
		{`meta.headers.x.y`, Fields, `column 16: this part of meta is a single value; write it without what follows`},
		{`meta.partition == 1 && a`, Opaque, `column 24: the value is not decoded, so it has no field a; write decode: json, or use only ` +
			`meta.topic, meta.partition, meta.offset, meta.timestamp, meta.key, meta.headers`},
		{`a`, Text, `column 1: a value decoded as string has no field a; write value for the whole text, or decode: json`},
	} {
		_, err := Compile(test.text, Scope{Value: test.shape})
		if _, ok := errors.AsType[*Error](err); !ok || err.Error() != test.want {
			t.Errorf("%q: got  %v\nwant %s", test.text, err, test.want)
		}
	}
}

func TestFilterMustBeABool(t *testing.T) {
	for text, want := range map[string]string{
		`"a"`:     `column 1: filter gives string, not true or false; compare it with something`,
		`len(a)`:  `column 1: filter gives int, not true or false; compare it with something`,
		`nil`:     `column 1: filter is always nil and would keep no record; compare something, such as event_type == "view"`,
		`[a]`:     `column 1: filter gives list, not true or false; compare it with something`,
		`{"a":1}`: `column 1: filter gives object, not true or false; compare it with something`,
	} {
		if _, err := CompileFilter(text, Scope{Value: Fields}); err == nil || err.Error() != want {
			t.Errorf("%s: got %v", text, err)
		}
	}
	for text, want := range map[string]bool{`ok`: true, `no`: false, `nope`: false, `user.nope`: false, `nope ?? true`: true} {
		p, err := CompileFilter(text, Scope{Value: Fields})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := new(Evaluator).Test(p, record(t, ad)); err != nil || got != want {
			t.Errorf("%s: got %v, %v", text, got, err)
		}
	}
	p, err := CompileFilter(`nope ?? event_type`, Scope{Value: Fields})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := new(Evaluator).Test(p, record(t, ad)); err == nil || err.Error() != "filter gives string, not true or false" {
		t.Errorf("got %v", err)
	}
}

func TestReadsValue(t *testing.T) {
	for text, want := range map[string]bool{
		`meta.partition == 1`: false, `1 + 1`: false, `a`: true, `meta.offset > 1 && a`: true, `$env["a"]`: true, `$env == nil`: true,
		`let x = 1; x`: false, `map([1], # + 1)`: false, `map([1], # + a)`: true,
	} {
		p, err := Compile(text, Scope{Value: Fields})
		if err != nil {
			t.Fatal(err)
		}
		if p.ReadsValue() != want {
			t.Errorf("%s: ReadsValue() = %v", text, !want)
		}
	}
}

// A tombstone and values without fields have no fields; that is not an error.
func TestValuesWithoutFields(t *testing.T) {
	r := record(t, `[1]`)
	for value, wantRoot := range map[string]string{`[1]`: `[1]`, `"s"`: `"s"`, `5`: `5`, `null`: `null`, ``: `null`} {
		if r.Value.Reset(); value != "" {
			if err := r.Value.Parse([]byte(value)); err != nil {
				t.Fatal(err)
			}
		}
		for text, want := range map[string]string{`a`: `null`, `a.b > 1`: `false`, `$env`: wantRoot, `$env ?? nil`: wantRoot} {
			if got, err := evaluate(t, text, r); err != nil || got != want {
				t.Errorf("%s of %q = %s, %v; want %s", text, value, got, err, want)
			}
		}
	}
	if document.None >= 0 {
		t.Error("None must not be a place in a document")
	}
}
