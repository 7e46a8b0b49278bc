package avro_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"streamer/internal/codec/avro"
	"streamer/internal/document"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func schema(t testing.TB, text string, references ...string) *avro.Schema {
	t.Helper()
	s, err := avro.Parse(text, references...)
	if err != nil {
		t.Fatalf("parse %s: %v", text, err)
	}
	return s
}

// decode returns the document that data is, as JSON, or the error.
func decode(t testing.TB, writer, reader *avro.Schema, data []byte) string {
	t.Helper()
	p, err := avro.NewDecoder(writer, reader)
	if err != nil {
		return "schemas: " + err.Error()
	}
	var s avro.State
	var d document.Document
	if err := p.Decode(&s, &d, data); err != nil {
		if d.Kind(document.Root) != document.Missing {
			t.Error("a value that failed is still there")
		}
		return err.Error()
	}
	return string(d.Append(nil, document.Root))
}

// encode returns the bytes of a JSON text, or the error.
func encode(t testing.TB, s *avro.Schema, text string) ([]byte, error) {
	t.Helper()
	p, err := avro.NewEncoder(s)
	if err != nil {
		t.Fatalf("compile: %v", err)
	}
	var d document.Document
	if err := d.Parse([]byte(text)); err != nil {
		t.Fatal(err)
	}
	var e avro.Encoder
	out, err := p.Append(&e, []byte(">"), &d, document.Root)
	if err != nil {
		if string(out) != ">" {
			t.Errorf("a failing encoder left %q", out)
		}
		return nil, err
	}
	return out[1:], nil
}

// Types that are read and written alike: the bytes are those of the specification.
func TestTypes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ schema, hex, json string }{
		{`"null"`, "", "null"},
		{`"boolean"`, "01", "true"},
		{`"boolean"`, "00", "false"},
		{`"int"`, "ffffffff0f", "-2147483648"},
		{`"long"`, "02", "1"},
		{`"long"`, "ffffffffffffffffff01", "-9223372036854775808"},
		{`"long"`, "feffffffffffffffff01", "9223372036854775807"},
		{`"float"`, "cdcccc3d", "0.1"},
		{`"float"`, "00000040", "2"},
		{`"double"`, "9a9999999999b93f", "0.1"},
		{`"double"`, "9c7500883ce4377e", "1e+300"},
		{`"string"`, "06" + "66c3b6", `"fö"`},
		{`"string"`, "00", `""`},
		{`"string"`, "04220a", `"\"\n"`},
		{`"bytes"`, "06fffe00", `"//4A"`},
		{`"bytes"`, "00", `""`},
		{`{"type":"fixed","name":"f","size":2}`, "ff00", `"/wA="`},
		{`{"type":"enum","name":"e","symbols":["A","B"]}`, "02", `"B"`},
		{`{"type":"array","items":"int"}`, "04020400", "[1,2]"},
		{`{"type":"array","items":"int"}`, "00", "[]"},
		{`{"type":"map","values":"boolean"}`, "04027a0102610000", `{"z":true,"a":false}`},
		{`["null","string"]`, "00", "null"},
		{`["null","string"]`, "020261", `"a"`},
		{`["string","int","null"]`, "0204", "2"},
		{`{"type":"record","name":"r","fields":[{"name":"b","type":"int"},{"name":"a","type":"string"}]}`, "020261", `{"b":1,"a":"a"}`},
		{`{"type":"record","name":"n","fields":[{"name":"v","type":"int"},{"name":"next","type":["null","n"]}]}`, "02020400", `{"v":1,"next":{"v":2,"next":null}}`},
		{`{"type":"int","logicalType":"date"}`, "02", "1"},
		{`{"type":"long","logicalType":"timestamp-millis"}`, "d0e6f1b69267", "1772000000424"},
		{`{"type":"string","logicalType":"uuid"}`, "0261", `"a"`},
		{`{"type":"fixed","name":"d","size":12,"logicalType":"duration"}`, strings.Repeat("01", 12), `"AQEBAQEBAQEBAQEB"`},
		{`{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}`, "0404e2", `"12.50"`},
		{`{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}`, "02ff", `"-0.01"`},
		{`{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}`, "0200", `"0.00"`},
		{`{"type":"bytes","logicalType":"decimal","precision":4}`, "020a", `"10"`},
		{`{"type":"bytes","logicalType":"decimal","precision":30,"scale":3}`, "1400800000000000000001", `"2361183241434822606.849"`},
		{`{"type":"bytes","logicalType":"decimal","precision":30,"scale":3}`, "12ff0000000000000001", `"-18446744073709551.615"`},
		{`{"type":"fixed","name":"f","size":4,"logicalType":"decimal","precision":6,"scale":1}`, "ffffff85", `"-12.3"`},
	} {
		data, err := hex.DecodeString(test.hex)
		if err != nil {
			t.Fatal(err)
		}
		s := schema(t, test.schema)
		if got := decode(t, s, nil, data); got != test.json {
			t.Errorf("%s of %s is read as %s, want %s", test.schema, test.hex, got, test.json)
		}
		if got, err := encode(t, s, test.json); err != nil || hex.EncodeToString(got) != test.hex {
			t.Errorf("%s of %s is written as %x, %v; want %s", test.schema, test.json, got, err, test.hex)
		}
	}
}

const user = `{"type":"record","name":"User","fields":[
	{"name":"id","type":"long"},
	{"name":"age","type":"int","default":7},
	{"name":"name","type":["null","string"]},
	{"name":"tags","type":{"type":"array","items":{"type":"record","name":"Tag","fields":[{"name":"key","type":"string"}]}},"default":[{"key":"x"}]},
	{"name":"limits","type":{"type":"map","values":"int"},"default":{"b":2,"a":1}},
	{"name":"colour","type":{"type":"enum","name":"Colour","symbols":["RED","BLUE"]},"default":"BLUE"},
	{"name":"home","type":{"type":"record","name":"Home","fields":[{"name":"zip","type":"string","default":"0"},{"name":"open","type":"boolean"}]},"default":{"open":true}},
	{"name":"raw","type":"bytes","default":"ÿA"},
	{"name":"mark","type":{"type":"fixed","name":"Mark","size":2},"default":"ab"},
	{"name":"weight","type":"float","default":0.5},
	{"name":"height","type":["double","null"],"default":1.5}]}`

// What an object lacks is filled in, what the schema lacks is left out.
func TestWriteFillsIn(t *testing.T) {
	t.Parallel()
	s := schema(t, user)
	for in, want := range map[string]string{
		`{"id": 1}`: `{"id":1,"age":7,"name":null,"tags":[{"key":"x"}],"limits":{"a":1,"b":2},"colour":"BLUE","home":{"zip":"0","open":true},"raw":"/0E=","mark":"YWI=","weight":0.5,"height":1.5}`,
		`{"more": {"a": []}, "height": null, "limits": {}, "id": 1.0, "id": 2e1, "home": {"open": false, "x": 1}, "tags": [], "weight": 3, "age": -1, "mark": "AAA="}`: `{"id":20,"age":-1,"name":null,"tags":[],"limits":{},"colour":"BLUE","home":{"zip":"0","open":false},"raw":"/0E=","mark":"AAA=","weight":3,"height":null}`,
	} {
		data, err := encode(t, s, in)
		if err != nil {
			t.Fatalf("%s: %v", in, err)
		}
		if got := decode(t, s, nil, data); got != want {
			t.Errorf("%s becomes\n%s\nwant\n%s", in, got, want)
		}
	}
}

func TestWriteErrors(t *testing.T) {
	t.Parallel()
	s := schema(t, user)
	for in, want := range map[string]string{
		`[]`:                                    "an array cannot be written as record",
		`{}`:                                    "field id: is missing and has no default",
		`{"id":"canary"}`:                       "field id: text cannot be written as long",
		`{"id":null}`:                           "field id: null cannot be written as long",
		`{"id":9223372036854775808}`:            "field id: number is out of range",
		`{"id":9.3e18}`:                         "field id: number is out of range",
		`{"id":1.5}`:                            "field id: number is not whole",
		`{"id":1,"age":2147483648}`:             "field age: number is out of range",
		`{"id":1,"name":7}`:                     "field name: a number cannot be written as string",
		`{"id":1,"tags":[{"key":"canary"},{}]}`: "field tags[].key: is missing and has no default",
		`{"id":1,"tags":{"canary":1}}`:          "field tags: an object cannot be written as array",
		`{"id":1,"limits":{"canary":true}}`:     "field limits[]: a truth value cannot be written as int",
		`{"id":1,"limits":[]}`:                  "field limits: an array cannot be written as map",
		`{"id":1,"colour":"canary"}`:            "field colour: enum has no such symbol",
		`{"id":1,"colour":1}`:                   "field colour: a number cannot be written as enum",
		`{"id":1,"home":{"zip":1}}`:             "field home.zip: a number cannot be written as string",
		`{"id":1,"raw":"canary!"}`:              "field raw: text is not base64",
		`{"id":1,"raw":1}`:                      "field raw: a number cannot be written as bytes (base64 text)",
		`{"id":1,"mark":"AAAA"}`:                "field mark: base64 text does not have the bytes of the fixed type",
		`{"id":1,"weight":1e39}`:                "field weight: number is out of range",
		`{"id":1,"height":1e999}`:               "field height: number is out of range",
	} {
		if data, err := encode(t, s, in); err == nil || err.Error() != want {
			t.Errorf("%s gives %x, %v; want %s", in, data, err, want)
		}
	}
}

func TestDecimalsAreExact(t *testing.T) {
	t.Parallel()
	s := schema(t, `{"type":"bytes","logicalType":"decimal","precision":5,"scale":2}`)
	for in, want := range map[string]string{
		`"1.5"`: `"1.50"`, `1.5`: `"1.50"`, `1.500`: `"1.50"`, `7`: `"7.00"`, `-0.07`: `"-0.07"`, `"+.5"`: `"0.50"`,
		`1e2`: `"100.00"`, `"999.99"`: `"999.99"`, `"-999.99"`: `"-999.99"`, `0.00000`: `"0.00"`, `1.5e-1`: `"0.15"`,
		`"1000"`:    "decimal has more digits than its precision",
		`1.234`:     "decimal has more places than its scale",
		`1e-3`:      "decimal has more places than its scale",
		`"1e99999"`: "text is not a decimal number",
		`"x"`:       "text is not a decimal number",
		`""`:        "text is not a decimal number",
		`"1.2.3"`:   "text is not a decimal number",
		`true`:      "a truth value cannot be written as decimal",
	} {
		data, err := encode(t, s, in)
		got := decode(t, s, nil, data)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s becomes %s, want %s", in, got, want)
		}
	}
	if got := decode(t, s, nil, []byte("\x10\x01\x01\x01\x01\x01\x01\x01\x01")); got != "decimal has more digits than its precision" {
		t.Errorf("a decimal of 8 bytes gives %s", got)
	}
}

// The branch depends on the value alone: the first that is exactly of its kind, else the first that can hold it.
func TestUnionBranches(t *testing.T) {
	t.Parallel()
	const wide = `["null","int","long","double","string",{"type":"enum","name":"E","symbols":["A"]},"bytes",
		{"type":"record","name":"P","fields":[{"name":"a","type":"int"},{"name":"b","type":"int","default":0}]},
		{"type":"record","name":"Q","fields":[{"name":"a","type":"int"},{"name":"c","type":"int"}]},
		{"type":"array","items":"int"}]`
	for _, test := range []struct {
		schema, in string
		branch     byte
	}{
		{wide, `null`, 0},
		{wide, `5`, 1},
		{wide, `5000000000`, 2},
		{wide, `5.5`, 3},
		{wide, `5e2`, 3},
		{wide, `"x"`, 4},
		{wide, `"A"`, 4},
		{wide, `{"a":1}`, 7},
		{wide, `{"a":1,"c":2}`, 8},
		{wide, `{"a":1,"c":2,"d":3}`, 7},
		{wide, `[]`, 9},
		{`["double","null","boolean"]`, `5`, 0},
		{`["null","boolean","long"]`, `5.0`, 2},
		{`["null","bytes","boolean"]`, `"AAA="`, 1},
		{`["null",{"type":"enum","name":"E","symbols":["A"]},"string"]`, `"A"`, 1},
		{`["null",{"type":"enum","name":"E","symbols":["A"]},"string"]`, `"B"`, 2},
		{`["null",{"type":"fixed","name":"F","size":3},{"type":"fixed","name":"G","size":2}]`, `"AAA="`, 2},
		{`["null",{"type":"record","name":"R","fields":[]},{"type":"map","values":"int"}]`, `{"a":1}`, 2},
		{`["null",{"type":"record","name":"R","fields":[]},{"type":"map","values":"int"}]`, `{}`, 1},
	} {
		data, err := encode(t, schema(t, test.schema), test.in)
		if err != nil || data[0] != test.branch*2 {
			t.Errorf("%s in %s goes to %x, %v; want branch %d", test.in, test.schema, data, err, test.branch)
		}
	}
	for _, test := range []struct{ schema, in, want string }{
		{wide, `true`, "a truth value fits no branch of the union"},
		{wide, `{"b":1}`, "an object fits no branch of the union"},
		{`["null","int","boolean"]`, `5000000000`, "a number fits no branch of the union"},
	} {
		if _, err := encode(t, schema(t, test.schema), test.in); err == nil || err.Error() != test.want {
			t.Errorf("%s in %s gives %v, want %s", test.in, test.schema, err, test.want)
		}
	}
}
