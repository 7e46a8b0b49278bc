package protobuf_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"

	"streamer/internal/codec/protobuf"
	"streamer/internal/document"
)

// bothTag begins the field both of Every. A message that another member of its oneof replaces is never looked into here,
// while the official library looks first; so malformed bytes in it go unnoticed.
var bothTag = []byte{0xea, 0x01}

// official is what the official library makes of the bytes; nil if it panics, as it does over a map's key of another wire
// type.
func official(m protobuf.Message, data []byte) (message *dynamicpb.Message, err error) {
	defer func() {
		if recover() != nil {
			message = nil
		}
	}()
	message = dynamicpb.NewMessage(protobuf.Descriptor(m))
	return message, proto.Unmarshal(data, message)
}

// FuzzDecode holds that no bytes make a decoder panic, that it reads what the official library reads, refuses what that
// refuses, and that what it reads can be written and read again.
func FuzzDecode(f *testing.F) {
	every, old := message(f, "every.proto", "test.Every"), message(f, "old.proto", "")
	f.Add([]byte{}, false)
	row, err := encode(f, every, with(`"numbers":[1,2]`, `"counts":{"a":1}`, `"any":{"a":[null,1]}`, `"at":"2026-02-25T06:13:20Z"`, `"child":`+empty, `"right":"r"`))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(row, false)
	row, err = encode(f, old, `{"id":1,"box":{"depth":1,"item":[{"label":"a"}]},"next":{"id":2}}`)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(row, true)
	f.Fuzz(func(t *testing.T, data []byte, two bool) {
		m := every
		if two {
			m = old
		}
		theirs, refused := official(m, data)
		var s protobuf.State
		var d document.Document
		err := protobuf.NewDecoder(m).Decode(&s, &d, data)
		if err != nil {
			if len(data) > 40 && strings.Contains(err.Error(), string(data)) {
				t.Fatal("the error quotes the data")
			}
			if theirs == nil || refused != nil {
				return
			}
			if _, held := modelled(theirs); held && !strings.Contains(err.Error(), "nested") && !strings.Contains(err.Error(), "UTF-8") {
				t.Fatalf("refused: %v", err)
			}
			return
		}
		if theirs == nil || refused != nil && bytes.Contains(data, bothTag) {
			return
		}
		if refused != nil {
			t.Fatalf("accepted, the official library says %v", refused)
		}
		if want, held := modelled(theirs); !held || !reflect.DeepEqual(d.Go(document.Root), want) {
			t.Fatalf("read as\n%v\nwant\n%v", d.Go(document.Root), want)
		}
		want := string(d.Append(nil, document.Root))
		var e protobuf.Encoder
		written, err := protobuf.NewEncoder(m).Append(&e, nil, &d, document.Root)
		if err != nil {
			if strings.Contains(err.Error(), "enum has no such value") {
				return // a closed enum with a number that the schema lacks: it can be read, not written
			}
			t.Fatalf("%s is not written back: %v", want, err)
		}
		if got := decode(t, m, written); got != want {
			t.Fatalf("%s became %s", want, got)
		}
	})
}

// FuzzParse holds that no text makes the compiler or a plan panic.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		`syntax = "proto3"; message A { string s = 1; map<string, A> m = 2; oneof o { A a = 3; int32 i = 4; } }`,
		`syntax = "proto2"; message A { required group B = 1 { optional E e = 1; } enum E { X = 1; } extensions 5; }`,
		`edition = "2023"; import "other.proto"; message A { B b = 1 [features.message_encoding = DELIMITED]; }`,
		`syntax = "proto3"; import "google/protobuf/struct.proto"; message A { google.protobuf.Value v = 1; }`,
	} {
		f.Add(text)
	}
	other := map[string]string{"other.proto": `syntax = "proto3"; message B { string s = 1; }`}
	f.Fuzz(func(_ *testing.T, text string) {
		file, err := protobuf.Parse(text, other)
		if err != nil {
			return
		}
		m, err := file.MessageAt([]int{0})
		if err != nil {
			return
		}
		_ = m.Path()
		var s protobuf.State
		var d document.Document
		_ = protobuf.NewDecoder(m).Decode(&s, &d, []byte("\x0a\x01a\x10\x01"))
		var e protobuf.Encoder
		_, _ = protobuf.NewEncoder(m).Append(&e, nil, &d, document.Root)
	})
}
