package avro_test

import (
	"strings"
	"testing"

	"streamer/internal/codec/avro"
	"streamer/internal/document"
)

// fuzzed has every type, and fields that a reader leaves out, reorders and adds.
const (
	fuzzed = `{"type":"record","name":"r","fields":[
		{"name":"a","type":["null","boolean","long","double","string","r",{"type":"array","items":"null"}]},
		{"name":"b","type":{"type":"array","items":["null","r"]}},{"name":"c","type":{"type":"map","values":"int"}},
		{"name":"d","type":{"type":"bytes","logicalType":"decimal","precision":20,"scale":3}},{"name":"e","type":"float"},
		{"name":"f","type":{"type":"fixed","name":"F","size":3}},{"name":"g","type":{"type":"enum","name":"E","symbols":["A","B"]}}]}`
	fuzzedReader = `{"type":"record","name":"r","fields":[
		{"name":"g","type":{"type":"enum","name":"E","symbols":["B"],"default":"B"}},{"name":"x","type":["null","r"],"default":null},
		{"name":"b","type":{"type":"array","items":["null","r"]}},{"name":"e","type":"double"}]}`
)

// FuzzDecode holds that no bytes make a decoder panic, allocate without bound or write a document that cannot be written
// back, and that no error quotes them.
func FuzzDecode(f *testing.F) {
	writer := schema(f, fuzzed)
	same, err := avro.NewDecoder(writer, nil)
	if err != nil {
		f.Fatal(err)
	}
	resolved, err := avro.NewDecoder(writer, schema(f, fuzzedReader))
	if err != nil {
		f.Fatal(err)
	}
	program, err := avro.NewEncoder(writer)
	if err != nil {
		f.Fatal(err)
	}
	row, err := encode(f, writer, `{"a":{"a":"x","b":[null],"c":{},"d":"0.000","e":1,"f":"AAAA","g":"A"},"b":[],"c":{"k":1},"d":"-1.5","e":0.5,"f":"AAAA","g":"B"}`)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(row)
	f.Add([]byte("\x0a"))
	f.Add([]byte("\x0c\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var s avro.State
		var d document.Document
		if err := resolved.Decode(&s, &d, data); err != nil && len(data) > 40 && strings.Contains(err.Error(), string(data)) {
			t.Fatal("the error quotes the data")
		}
		if err := same.Decode(&s, &d, data); err != nil {
			return
		}
		want := string(d.Append(nil, document.Root))
		var e avro.Encoder
		written, err := program.Append(&e, nil, &d, document.Root)
		if err != nil {
			t.Fatalf("%s is not written back: %v", want, err)
		}
		if err := same.Decode(&s, &d, written); err != nil {
			t.Fatalf("%s is not read back: %v", want, err)
		}
		if got := string(d.Append(nil, document.Root)); got != want {
			t.Fatalf("%s became %s", want, got)
		}
	})
}

// FuzzParse holds that no text makes the parser or the compilers panic.
func FuzzParse(f *testing.F) {
	for _, text := range []string{fuzzed, fuzzedReader, user, list, loop, `"int"`, `{"type":"record","name":"a","fields":[{"name":"x","type":"a","default":{}}]}`} {
		f.Add(text)
	}
	f.Fuzz(func(_ *testing.T, text string) {
		s, err := avro.Parse(text)
		if err != nil {
			return
		}
		_, _ = avro.NewEncoder(s)
		p, err := avro.NewDecoder(s, nil)
		if err != nil {
			return
		}
		var state avro.State
		var d document.Document
		_ = p.Decode(&state, &d, []byte("\x02\x02\x04\x06abcdefgh\x00\x00"))
	})
}
