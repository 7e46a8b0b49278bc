package avro_test

import (
	"bytes"
	"strings"
	"testing"

	"streamer/internal/codec/avro"
	"streamer/internal/document"
)

const (
	list = `{"type":"record","name":"n","fields":[{"name":"next","type":["null","n"]}]}`
	loop = `{"type":"record","name":"n","fields":[{"name":"next","type":"n"}]}`
)

// Bytes that lie about what follows are refused before anything is allocated for it.
func TestHostileBytes(t *testing.T) {
	t.Parallel()
	huge := "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01" // 2⁶³-1
	least := "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
	for _, test := range []struct{ schema, data, want string }{
		{`"int"`, "", "data ends inside a value"},
		{`"int"`, "\x80", "data ends inside a value"},
		{`"int"`, huge, "int is out of range"},
		{`"long"`, strings.Repeat("\x80", 11), "a number has too many bytes"},
		{`"int"`, "\x02\x00", "bytes are left behind the value"},
		{`"boolean"`, "\x02", "boolean is neither 0 nor 1"},
		{`"double"`, "1234567", "data ends inside a value"},
		{`"double"`, "\x00\x00\x00\x00\x00\x00\xf0\x7f", "a number is infinite or not a number; a document cannot hold it"},
		{`"float"`, "\x00\x00\xc0\x7f", "a number is infinite or not a number; a document cannot hold it"},
		{`"string"`, huge + "a", "a length is negative or runs past the end of the data"},
		{`"string"`, "\x01a", "a length is negative or runs past the end of the data"},
		{`"string"`, "\x02\xff", "string is not valid UTF-8"},
		{`{"type":"fixed","name":"f","size":16000000}`, "a", "data ends inside a value"},
		{`{"type":"enum","name":"e","symbols":["A"]}`, "\x02", "enum has no such symbol"},
		{`{"type":"enum","name":"e","symbols":["A"]}`, "\x01", "enum has no such symbol"},
		{`["null","int"]`, "\x04", "union has no such branch"},
		{`["null","int"]`, "\x01", "union has no such branch"},
		{`{"type":"array","items":"int"}`, huge, "a length is negative or runs past the end of the data"},
		{`{"type":"array","items":"int"}`, least + "\x02", "a length is negative or runs past the end of the data"},
		{`{"type":"array","items":"int"}`, least + "\x00\x00", "a length is negative or runs past the end of the data"},
		{`{"type":"array","items":"int"}`, "\x01\x04\x02", "a length is negative or runs past the end of the data"},
		{`{"type":"array","items":"double"}`, "\x04" + strings.Repeat("a", 15), "a length is negative or runs past the end of the data"},
		{`{"type":"array","items":"null"}`, huge, "arrays hold too many items that take no bytes"},
		{`{"type":"array","items":{"type":"array","items":"null"}}`, "\x04" + "\x80\x20\x00" + "\x80\x20\x00\x00", "[]"},
		{`{"type":"map","values":"null"}`, huge, "a length is negative or runs past the end of the data"},
		{list, strings.Repeat("\x02", 600), "values are nested more than 512 deep"},
		{loop, "", "values are nested more than 512 deep"},
		{`{"type":"array","items":"string"}`, "\x02\x02\xff\x00", "field []: string is not valid UTF-8"},
	} {
		got := decode(t, schema(t, test.schema), nil, []byte(test.data))
		if test.want == "[]" {
			if !strings.HasPrefix(got, "[[null,") {
				t.Errorf("few items without bytes give %s", got)
			}
			continue
		}
		if i := strings.LastIndex(got, ": values are nested"); i >= 0 {
			got = got[i+2:]
		}
		if got != test.want {
			t.Errorf("%q as %s gives %s, want %s", test.data, test.schema, got, test.want)
		}
	}
}

// Skipping is as careful as reading.
func TestHostileSkips(t *testing.T) {
	t.Parallel()
	huge := "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"
	for typ, data := range map[string]string{
		`"string"`:                             huge,
		`{"type":"array","items":"null"}`:      huge,
		`{"type":"array","items":"int"}`:       huge,
		`{"type":"map","values":"int"}`:        "\x02" + huge,
		`["null","int"]`:                       "\x09",
		`["null","n"]`:                         strings.Repeat("\x02", 600),
		`"n"`:                                  "",
		`{"type":"fixed","name":"f","size":9}`: "a",
	} {
		writer := schema(t, `{"type":"record","name":"n","fields":[{"name":"x","type":`+typ+`},{"name":"y","type":"int"}]}`)
		reader := schema(t, `{"type":"record","name":"n","fields":[{"name":"y","type":"int"}]}`)
		if got := decode(t, writer, reader, []byte(data)); strings.HasPrefix(got, "{") {
			t.Errorf("%q as %s is skipped to %s", data, typ, got)
		}
	}
}

// A reader's defaults must not turn a small record into a huge one.
func TestDefaultsAreBounded(t *testing.T) {
	t.Parallel()
	var fields []string
	for i := range 200 {
		fields = append(fields, `{"name":"f`+strings.Repeat("x", i)+`","type":"int","default":1}`)
	}
	item := func(fields string) string {
		return `{"type":"array","items":{"type":"record","name":"i","fields":[{"name":"b","type":"boolean"}` + fields + `]}}`
	}
	data := append([]byte("\xc0\x9a\x0c"), bytes.Repeat([]byte{1}, 100_000)...)
	data = append(data, 0)
	got := decode(t, schema(t, item("")), schema(t, item(","+strings.Join(fields, ","))), data)
	if !strings.HasSuffix(got, "defaults of the reader's schema make the value too large") {
		t.Errorf("gives %.100s", got)
	}
}

// A document as deep as documents may be is written; one that is deeper cannot be.
func TestDepth(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"next":`, document.MaxDepth-1) + "{}" + strings.Repeat("}", document.MaxDepth-1)
	data, err := encode(t, schema(t, list), deep)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(deep, "{}", `{"next":null}`, 1)
	if got := decode(t, schema(t, list), nil, data); got != want {
		t.Errorf("became %s", got)
	}
}

func TestSchemaErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		``:                  "read schema: invalid JSON at byte 0: text ends where a value should be",
		`{"type":"record"}`: "non-empty name key required",
		`"colour"`:          "unknown type: colour",
		`{"type":"fixed","name":"f","size":99999999999}`:                                  "fixed type is larger than 16 MiB",
		`{"type":"record","name":"r","fields":[{"name":"f","type":"int","default":"x"}]}`: "invalid default for field f. <nil> not a int",
		strings.Repeat(" ", 5<<20):                                                        "schema is larger than 4 MiB",
		`["int","int"]`:                                                                   "union type must be unique",
	} {
		if _, err := avro.Parse(text); err == nil || err.Error() != want {
			t.Errorf("%.60s gives %v, want %s", text, err, want)
		}
	}
}

func TestReferences(t *testing.T) {
	t.Parallel()
	s := schema(t, `{"type":"record","name":"a.Order","fields":[{"name":"who","type":"a.User"},{"name":"to","type":"a.Address"}]}`,
		`{"type":"record","name":"a.Address","fields":[{"name":"zip","type":"string"}]}`,
		`{"type":"record","name":"a.User","fields":[{"name":"home","type":"a.Address"}]}`)
	const row = `{"who":{"home":{"zip":"1"}},"to":{"zip":"2"}}`
	data, err := encode(t, s, row)
	if err != nil {
		t.Fatal(err)
	}
	if got := decode(t, s, nil, data); got != row {
		t.Errorf("became %s", got)
	}
	if _, err := avro.Parse(`{"type":"record","name":"b","fields":[{"name":"x","type":"a.User"}]}`); err == nil {
		t.Error("a schema sees the types of another")
	}
}
