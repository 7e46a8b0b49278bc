package protobuf_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"streamer/internal/codec/protobuf"
	"streamer/internal/document"
)

// nest wraps data depth times in the field with the tag.
func nest(tag byte, depth int) []byte {
	var data []byte
	for range depth {
		inner := data
		data = append([]byte{tag, 1}, byte(len(inner)))
		for n := len(inner); n >= 0x80; n >>= 7 {
			data[len(data)-1] = byte(n) | 0x80
			data = append(data, byte(n>>7))
		}
		data = append(data, inner...)
	}
	return data
}

func TestHostileBytes(t *testing.T) {
	t.Parallel()
	every := message(t, "every.proto", "test.Every")
	const malformed = "data is malformed or ends inside a field"
	for _, test := range []struct{ name, data, want string }{
		{"no value", "\x08", malformed},
		{"a long varint", "\x10" + strings.Repeat("\x80", 10) + "\x01", malformed},
		{"field 0", "\x00\x01", malformed},
		{"a huge length", "\x72\xff\xff\xff\xff\x0f", malformed},
		{"an end without a group", "\x0c", malformed},
		{"a group without an end", "\x0b\x08\x01", malformed},
		{"wire type 6", "\x0e", malformed},
		{"half a packed value", "\xba\x02\x03abc", "field fixed[]: " + malformed},
		{"bad UTF-8", "\x72\x01\xff", "field s: string is not valid UTF-8"},
		{"bad UTF-8 in a key", "\xba\x01\x03\x0a\x01\xff", "field counts[]: string is not valid UTF-8"},
		{"infinite", "\x69\x00\x00\x00\x00\x00\x00\xf0\x7f", "field d: a number is infinite or not a number; a document cannot hold it"},
		{"not a number", "\x65\x00\x00\xc0\x7f", "field f: a number is infinite or not a number; a document cannot hold it"},
		{"a time too late", "\xf2\x01\x07\x08\x80\x80\x80\x80\x80\x7f", "field at: timestamp is out of range"},
		{"a duration of two signs", "\xfa\x01\x0d\x08\x01\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "field took: duration is out of range"},
	} {
		if got := decode(t, every, []byte(test.data)); got != test.want {
			t.Errorf("%s gives %s, want %s", test.name, got, test.want)
		}
	}
	if got := decode(t, every, nest(0x92, document.MaxDepth+5)); !strings.HasSuffix(got, "child: values are nested more than 512 deep") {
		t.Errorf("deep messages give %.100s", got)
	}
	if got := decode(t, every, bytes.Repeat([]byte{0xaa, 0x01, 0x00}, 100_000)); !strings.HasSuffix(got, "fields that are not set make the value too large") {
		t.Errorf("many empty messages give %.100s", got)
	}
}

// The zero values of a list of empty messages take no bytes in the data.
func TestZeroValuesAreBounded(t *testing.T) {
	t.Parallel()
	f, err := protobuf.Parse(`syntax = "proto3"; message B { int32 a = 1; int32 b = 2; int32 c = 3; int32 d = 4; } message A { repeated B b = 1; }`, nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := f.Message("A")
	if err != nil {
		t.Fatal(err)
	}
	got := decode(t, m, bytes.Repeat([]byte{0x0a, 0x00}, 300_000))
	if !strings.HasSuffix(got, "fields that are not set make the value too large") {
		t.Errorf("gives %.100s", got)
	}
}

// What comes in parts or twice is what Protocol Buffers says it is.
func TestParts(t *testing.T) {
	t.Parallel()
	every := message(t, "every.proto", "test.Every")
	for _, test := range []struct{ name, data, want string }{
		{"the last value counts", "\x10\x01\x10\x02", with(`"i32":2`)},
		{"parts of a message are merged", "\x92\x01\x02\x10\x01\x92\x01\x04\x08\x01\x18\x02", with(`"child":` + with(`"i32":1`, `"b":true`, `"s32":1`))},
		{"the last of a oneof counts", "\xd8\x01\x05\xe2\x01\x01r", with(`"right":"r"`)},
		{"a oneof that comes back is new", "\xea\x01\x02\x10\x01\xd8\x01\x05\xea\x01\x02\x08\x01", with(`"both":` + with(`"b":true`))},
		{"packed and not", "\x9a\x01\x02\x02\x04\x98\x01\x06", with(`"numbers":[1,2,3]`)},
		{"unknown fields, groups too", "\xc0\x3e\x01\xcb\x3e\x08\x01\xcc\x3e\x10\x01", with(`"i32":1`)},
		{"another wire type is unknown", "\x12\x01a\x70\x01", empty},
		{"an entry without key and value", "\xba\x01\x00\xc2\x01\x00", with(`"counts":{"":0}`, `"by_number":{"0":`+empty+`}`)},
		{"an entry backwards", "\xba\x01\x05\x10\x05\x0a\x01a", with(`"counts":{"a":5}`)},
		{"wide bits of a narrow number", "\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", with(`"i32":-1`)},
	} {
		if got := decode(t, every, []byte(test.data)); got != test.want {
			t.Errorf("%s: got\n%s\nwant\n%s", test.name, got, test.want)
		}
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	f, err := protobuf.ReadFile("testdata/protos/every.proto", []string{"nowhere", "testdata/protos"})
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Imports) != 1 || f.Imports[0].Name != "common/money.proto" || !strings.Contains(f.Imports[0].Text, "message Money") || !strings.Contains(f.Text, "message Every") {
		t.Errorf("imports %+v", f.Imports)
	}
	for name, want := range map[string]string{
		"":             "is missing, the schema has test.Every, test.Other",
		"test.Nothing": "is not in the schema, which has test.Every, test.Other",
	} {
		if _, err := f.Message(name); err == nil || err.Error() != want {
			t.Errorf("%q gives %v, want %s", name, err, want)
		}
	}
	for name, path := range map[string][]int{
		"test.Every": {0}, "test.Other": {1}, "test.Every.Inner": {0, 4}, "test.Every.Inner.Innermost": {0, 4, 0}, "test.Every.Second": {0, 5}, "common.Money": {0},
	} {
		m, err := f.Message(name)
		if err != nil || m.Name() != name || !slices.Equal(m.Path(), path) || m.In(f) != (name != "common.Money") {
			t.Errorf("%s is %s at %v, %v", name, m.Name(), m.Path(), err)
			continue
		}
		if again, err := f.MessageAt(path); m.In(f) && (err != nil || again.Name() != name) {
			t.Errorf("at %v is %v, %v", path, again, err)
		}
	}
	for _, path := range [][]int{nil, {2}, {-1}, {1, 0}} {
		if _, err := f.MessageAt(path); err == nil {
			t.Errorf("a message at %v", path)
		}
	}
}

func TestFileErrors(t *testing.T) {
	t.Parallel()
	if _, err := protobuf.ReadFile("testdata/protos/nothing.proto", nil); err == nil {
		t.Error("a file that is not there")
	}
	for text, want := range map[string]string{
		"message":                              "schema.proto:1:8: syntax error: unexpected $end",
		`syntax = "proto3"; import "x.proto";`: `schema.proto:1:27: could not resolve path "x.proto": file does not exist`,
		strings.Repeat("message A {", 300):     "could not resolve path \"schema.proto\": schema has brackets nested more than 256 deep",
		strings.Repeat(" ", 5<<20):             "could not resolve path \"schema.proto\": schema is larger than 4 MiB",
	} {
		if _, err := protobuf.Parse(text, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.50s gives %v, want %s", text, err, want)
		}
	}
}
