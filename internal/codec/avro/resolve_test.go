package avro_test

import (
	"strings"
	"testing"

	hamba "github.com/hamba/avro/v2"
	"pgregory.net/rapid"

	"streamer/internal/codec/avro"
)

func record(fields string) string { return `{"type":"record","name":"r","fields":[` + fields + `]}` }

// The rules of the specification's "Schema resolution": what is written with one schema, read with another.
func TestResolution(t *testing.T) {
	t.Parallel()
	const abc = `{"name":"a","type":"int"},{"name":"b","type":"string"},{"name":"c","type":{"type":"array","items":"long"}}`
	const row = `{"a":1,"b":"x","c":[1,2]}`
	for _, test := range []struct{ writer, reader, in, want string }{
		{`"int"`, `"long"`, `5`, `5`},
		{`"int"`, `"double"`, `5`, `5`},
		{`"long"`, `"float"`, `16777217`, `16777216`},
		{`"float"`, `"double"`, `0.1`, `0.1`},
		{`"string"`, `"bytes"`, `"a"`, `"YQ=="`},
		{`"bytes"`, `"string"`, `"YQ=="`, `"a"`},
		{`"bytes"`, `"string"`, `"/w=="`, `string is not valid UTF-8`},
		{`"long"`, `"int"`, `5`, `schemas: the writer's schema has long where the reader's has int`},
		{`"int"`, `["null","string","double","long"]`, `5`, `5`},
		{`"int"`, `["null","string"]`, `5`, `schemas: the writer's schema has int where the reader's has union`},
		{`"bytes"`, `["string","bytes"]`, `"/w=="`, `"/w=="`},
		{
			`{"type":"record","name":"b.R","fields":[]}`,
			`[{"type":"record","name":"a.R","fields":[{"name":"x","type":"int","default":1}]},{"type":"record","name":"b.R","fields":[]}]`, `{}`, `{}`,
		},
		{`["null","int"]`, `"long"`, `5`, `5`},
		{`["null","int"]`, `"long"`, `null`, `the writer's schema has null where the reader's has long`},
		{`["null","int","long"]`, `["null","long"]`, `5000000000`, `5000000000`},
		{`["null","boolean"]`, `"long"`, `null`, `schemas: the writer's schema has boolean where the reader's has long`},
		{record(abc), record(abc), row, row},
		{record(abc), record(`{"name":"b","type":"string"}`), row, `{"b":"x"}`},
		{record(abc), record(`{"name":"c","type":{"type":"array","items":"double"}},{"name":"z","type":"int","default":3},{"name":"a","type":"long"}`), row, `{"c":[1,2],"z":3,"a":1}`},
		{record(abc), record(`{"name":"y","type":["null","int"],"default":null},{"name":"b","type":"bytes"},{"name":"z","type":{"type":"map","values":"int"},"default":{"k":1}}`), row, `{"y":null,"b":"eA==","z":{"k":1}}`},
		{record(abc), record(`{"name":"new","type":"int","aliases":["a"]}`), row, `{"new":1}`},
		{record(abc), record(`{"name":"d","type":"int"}`), row, `schemas: field d: the writer's schema lacks it, and the reader's has no default`},
		{record(abc), record(`{"name":"a","type":"string"}`), row, `schemas: field a: the writer's schema has int where the reader's has string`},
		{record(abc), `{"type":"record","name":"s","fields":[]}`, row, `schemas: the writer's schema has r where the reader's has s`},
		{record(abc), `{"type":"record","name":"s","aliases":["r"],"fields":[{"name":"a","type":"int"}]}`, row, `{"a":1}`},
		{record(abc), `{"type":"record","name":"r","namespace":"other","fields":[{"name":"a","type":"int"}]}`, row, `{"a":1}`},
		{`{"type":"enum","name":"e","symbols":["A","B"]}`, `{"type":"enum","name":"e","symbols":["B","A"]}`, `"B"`, `"B"`},
		{`{"type":"enum","name":"e","symbols":["A","B"]}`, `{"type":"enum","name":"e","symbols":["A"],"default":"A"}`, `"B"`, `"A"`},
		{`{"type":"enum","name":"e","symbols":["A","B"]}`, `{"type":"enum","name":"e","symbols":["A"]}`, `"B"`, `enum has no such symbol`},
		{`{"type":"fixed","name":"f","size":1}`, `{"type":"fixed","name":"f","size":2}`, `"YQ=="`, `schemas: the writer's schema has f where the reader's has f`},
		{`{"type":"map","values":"int"}`, `{"type":"map","values":"double"}`, `{"a":1}`, `{"a":1}`},
		{`{"type":"bytes","logicalType":"decimal","precision":5,"scale":2}`, `{"type":"bytes","logicalType":"decimal","precision":5,"scale":1}`, `"1.25"`, `schemas: the writer's schema has bytes where the reader's has bytes`},
		{`{"type":"bytes","logicalType":"decimal","precision":5,"scale":2}`, `"bytes"`, `"1.25"`, `"fQ=="`},
	} {
		data, err := encode(t, schema(t, test.writer), test.in)
		if err != nil {
			t.Fatal(err)
		}
		if got := decode(t, schema(t, test.writer), schema(t, test.reader), data); got != test.want {
			t.Errorf("%s of %s read as %s gives\n%s\nwant\n%s", test.in, test.writer, test.reader, got, test.want)
		}
	}
}

// Fields of every type are left out, and a record that contains itself is read in another order.
func TestResolutionSkips(t *testing.T) {
	t.Parallel()
	every := `{"name":"n","type":"null"},{"name":"b","type":"boolean"},{"name":"i","type":"int"},{"name":"l","type":"long"},
		{"name":"f","type":"float"},{"name":"d","type":"double"},{"name":"s","type":"string"},{"name":"y","type":"bytes"},
		{"name":"x","type":{"type":"fixed","name":"F","size":2}},{"name":"e","type":{"type":"enum","name":"E","symbols":["A"]}},
		{"name":"a","type":{"type":"array","items":["null","int"]}},{"name":"m","type":{"type":"map","values":"string"}},
		{"name":"r","type":["null","r"]}`
	const row = `{"n":null,"b":true,"i":1,"l":2,"f":0.5,"d":1.5,"s":"x","y":"AA==","x":"AAA=","e":"A","a":[1,null],"m":{"k":"v"},"r":`
	data, err := encode(t, schema(t, record(every+`,{"name":"z","type":"int"}`)), row+row+`null,"z":1},"z":2}`)
	if err != nil {
		t.Fatal(err)
	}
	writer := schema(t, record(every+`,{"name":"z","type":"int"}`))
	for reader, want := range map[string]string{
		`{"name":"z","type":"int"}`: `{"z":2}`,
		`{"name":"z","type":"int"},{"name":"r","type":["null","r"]},{"name":"i","type":"int"}`: `{"z":2,"r":{"z":1,"r":null,"i":1},"i":1}`,
	} {
		if got := decode(t, writer, schema(t, record(reader)), data); got != want {
			t.Errorf("read as %s gives %s, want %s", reader, got, want)
		}
	}
}

// A block whose writer said its size is skipped at once, and read like any other.
func TestSizedBlocks(t *testing.T) {
	t.Parallel()
	writer := schema(t, record(`{"name":"a","type":{"type":"array","items":"int"}},{"name":"b","type":"int"}`))
	data := []byte{0x03, 0x04, 0x02, 0x04, 0x02, 0x06, 0x00, 0x0a} // 2 items in 2 bytes, then 1 item
	if got := decode(t, writer, nil, data); got != `{"a":[1,2,3],"b":5}` {
		t.Errorf("read as %s", got)
	}
	if got := decode(t, writer, schema(t, record(`{"name":"b","type":"int"}`)), data); got != `{"b":5}` {
		t.Errorf("skipped to %s", got)
	}
}

// What a schema of ours writes, hamba reads alike with the same reader's schema.
func TestResolutionAsHamba(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.Permutation(strings.Split("abcdef", "")).Draw(t, "order")
		types := map[string][2]string{
			"a": {`"int"`, `"long"`}, "b": {`"string"`, `"string"`}, "c": {`"float"`, `"double"`}, "d": {`["null","int"]`, `["null","int"]`},
			"e": {`{"type":"array","items":"int"}`, `{"type":"array","items":"long"}`}, "f": {`"boolean"`, `"boolean"`},
		}
		fields := func(names []string, side int) string {
			var list []string
			for _, name := range names {
				list = append(list, `{"name":"`+name+`","type":`+types[name][side]+`}`)
			}
			return record(strings.Join(list, ","))
		}
		keep := rapid.IntRange(0, 6).Draw(t, "keep")
		writer, reader := fields(strings.Split("abcdef", ""), 0), fields(names[:keep], 1)
		row := map[string]any{
			"a": int(rapid.Int32().Draw(t, "a")), "b": rapid.String().Draw(t, "b"), "c": float32(rapid.IntRange(-9, 9).Draw(t, "c")) / 2,
			"d": nil, "e": rapid.SliceOfN(rapid.IntRange(0, 9), 0, 3).Draw(t, "e"), "f": rapid.Bool().Draw(t, "f"),
		}
		w, r := theirs(writer), theirs(reader)
		data, err := hamba.Marshal(w, row)
		if err != nil {
			t.Fatal(err)
		}
		resolved, err := hamba.NewSchemaCompatibility().Resolve(r, w)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]any{}
		// A decoder of its own each time: hamba keeps those of resolved schemas under a key that lacks what is left out.
		if err := (hamba.Config{}).Freeze().Unmarshal(resolved, data, &want); err != nil {
			t.Fatal(err)
		}
		ours, err := avro.NewDecoder(must(avro.Parse(writer)), must(avro.Parse(reader)))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, ours, data, want)
	})
}

func theirs(text string) hamba.Schema {
	schema, err := hamba.ParseWithCache(text, "", &hamba.SchemaCache{})
	if err != nil {
		panic(err)
	}
	return schema
}

func must(s *avro.Schema, err error) *avro.Schema {
	if err != nil {
		panic(err)
	}
	return s
}
