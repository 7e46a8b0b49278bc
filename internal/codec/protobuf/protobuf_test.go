package protobuf_test

import (
	"strings"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"

	"streamer/internal/codec/protobuf"
	"streamer/internal/document"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func message(t testing.TB, file, name string) protobuf.Message {
	t.Helper()
	f, err := protobuf.ReadFile("testdata/protos/"+file, nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := f.Message(name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// decode returns the document that data is, as JSON, or the error.
func decode(t testing.TB, m protobuf.Message, data []byte) string {
	t.Helper()
	var s protobuf.State
	var d document.Document
	if err := protobuf.NewDecoder(m).Decode(&s, &d, data); err != nil {
		if d.Kind(document.Root) != document.Missing {
			t.Error("a value that failed is still there")
		}
		return err.Error()
	}
	return string(d.Append(nil, document.Root))
}

// encode returns the bytes of a JSON text, or the error.
func encode(t testing.TB, m protobuf.Message, text string) ([]byte, error) {
	t.Helper()
	var d document.Document
	if err := d.Parse([]byte(text)); err != nil {
		t.Fatal(err)
	}
	var e protobuf.Encoder
	out, err := protobuf.NewEncoder(m).Append(&e, []byte(">"), &d, document.Root)
	if err != nil {
		if string(out) != ">" {
			t.Errorf("a failing encoder left %q", out)
		}
		return nil, err
	}
	return out[1:], nil
}

// empty is what an Every without any field set is read as.
const empty = `{"b":false,"i32":0,"s32":0,"u32":0,"f32":0,"sf32":0,"i64":0,"s64":0,"u64":0,"f64":0,"sf64":0,"f":0,"d":0,"s":"","raw":"","colour":"NONE",` +
	`"numbers":[],"words":[],"children":[],"loose":[],"counts":{},"by_number":{},"by_truth":{},"by_id":{},"times":[],"colours":[],"fixed":[]}`

// with is empty with fields set, given as JSON members; they come where the schema has them.
func with(members ...string) string {
	order := strings.Fields(`b i32 s32 u32 f32 sf32 i64 s64 u64 f64 sf64 f d s raw colour maybe child numbers words children loose counts by_number by_truth
		by_id left right both price at took boxed text free any list times colours fixed`)
	zero := map[string]string{}
	var d document.Document
	if err := d.Parse([]byte(empty)); err != nil {
		panic(err)
	}
	for name, value := range d.Children(document.Root) {
		zero[string(d.Text(name))] = string(d.Append(nil, name)) + ":" + string(d.Append(nil, value))
	}
	for _, member := range members {
		zero[strings.Split(member, `"`)[1]] = member
	}
	var out []string
	for _, name := range order {
		if member, ok := zero[name]; ok {
			out = append(out, member)
		}
	}
	return "{" + strings.Join(out, ",") + "}"
}

// Protocol Buffers' own text format on one side, the document on the other.
func TestTypes(t *testing.T) {
	t.Parallel()
	every := message(t, "every.proto", "test.Every")
	for text, want := range map[string]string{
		``: empty,
		`b: true i32: -2147483648 s32: -5 u32: 4294967295 f32: 7 sf32: -7 colour: RED`:                                    with(`"b":true`, `"i32":-2147483648`, `"s32":-5`, `"u32":4294967295`, `"f32":7`, `"sf32":-7`, `"colour":"RED"`),
		`i64: -9223372036854775808 s64: 9223372036854775807 u64: 18446744073709551615 f64: 18446744073709551615 sf64: -1`: with(`"i64":-9223372036854775808`, `"s64":9223372036854775807`, `"u64":18446744073709551615`, `"f64":18446744073709551615`, `"sf64":-1`),
		`f: 0.1 d: 0.1 s: "f\303\266\"" raw: "\377\376\000"`:                                                              with(`"f":0.1`, `"d":0.1`, `"s":"fö\""`, `"raw":"//4A"`),
		`colour: 7 colours: [RED, NONE, DARK]`:                                                                            with(`"colour":7`, `"colours":["RED","NONE","DARK"]`),
		`maybe: 0`:                                                                                                        with(`"maybe":0`),
		`child {} price { currency: "EUR" units: 5 }`:                                                                     with(`"child":`+empty, `"price":{"currency":"EUR","units":5}`),
		`numbers: [1, -1] words: ["a", ""] loose: [1.5, 2] fixed: [1, 2]`:                                                 with(`"numbers":[1,-1]`, `"words":["a",""]`, `"loose":[1.5,2]`, `"fixed":[1,2]`),
		`children {} children { i32: 1 }`:                                                                                 with(`"children":[` + empty + "," + with(`"i32":1`) + "]"),
		`counts { key: "a" value: 1 }`:                                                                                    with(`"counts":{"a":1}`),
		`by_number { key: -3 value { i32: 1 } } by_truth { key: true value: RED } by_id { key: 18446744073709551615 value: "a" }`: with(`"by_number":{"-3":`+with(`"i32":1`)+`}`, `"by_truth":{"true":"RED"}`, `"by_id":{"18446744073709551615":"YQ=="}`),
		`left: 0`:         with(`"left":0`),
		`right: "r"`:      with(`"right":"r"`),
		`both { i32: 1 }`: with(`"both":` + with(`"i32":1`)),
		`at { seconds: 1772000000 nanos: 424000000 } took { seconds: -1 nanos: -500000000 } times { seconds: -62135596800 }`: with(`"at":"2026-02-25T06:13:20.424Z"`, `"took":"-1.5s"`, `"times":["0001-01-01T00:00:00Z"]`),
		`took { nanos: 1 } at {}`:    with(`"took":"0.000000001s"`, `"at":"1970-01-01T00:00:00Z"`),
		`boxed { value: 5 } text {}`: with(`"boxed":5`, `"text":""`),
		`free { fields { key: "a" value { list_value { values { null_value: NULL_VALUE } values { number_value: 1.5 } } } } } any { bool_value: true } list {}`: with(`"free":{"a":[null,1.5]}`, `"any":true`, `"list":[]`),
		`any { struct_value { fields { key: "k" value { string_value: "v" } } } }`:                                                                              with(`"any":{"k":"v"}`),
		`any { null_value: NULL_VALUE } free {}`: with(`"any":null`, `"free":{}`),
	} {
		theirs := dynamicpb.NewMessage(protobuf.Descriptor(every))
		if err := prototext.Unmarshal([]byte(text), theirs); err != nil {
			t.Fatal(err)
		}
		data, err := proto.Marshal(theirs)
		if err != nil {
			t.Fatal(err)
		}
		if got := decode(t, every, data); got != want {
			t.Errorf("%s is read as\n%s\nwant\n%s", text, got, want)
		}
		written, err := encode(t, every, want)
		if err != nil {
			t.Errorf("%s: %v", want, err)
			continue
		}
		ours := dynamicpb.NewMessage(protobuf.Descriptor(every))
		if err := proto.Unmarshal(written, ours); err != nil || !proto.Equal(ours, theirs) {
			t.Errorf("%s is written as %v, %v", text, ours, err)
		}
	}
}

func TestProto2(t *testing.T) {
	t.Parallel()
	old := message(t, "old.proto", "")
	for text, want := range map[string]string{
		`id: 0`: `{"id":0,"loose":[]}`,
		`id: 1 name: "" size: LARGE loose: [1, 2] Box { depth: 1 Item { label: "a" } Item {} } next { id: 2 }`: `{"id":1,"name":"","size":"LARGE","loose":[1,2],"box":{"depth":1,"item":[{"label":"a"},{}]},"next":{"id":2,"loose":[]}}`,
	} {
		theirs := dynamicpb.NewMessage(protobuf.Descriptor(old))
		if err := prototext.Unmarshal([]byte(text), theirs); err != nil {
			t.Fatal(err)
		}
		data, _ := proto.Marshal(theirs)
		if got := decode(t, old, data); got != want {
			t.Errorf("%s is read as %s, want %s", text, got, want)
		}
		written, err := encode(t, old, want)
		if err != nil {
			t.Fatal(err)
		}
		ours := dynamicpb.NewMessage(protobuf.Descriptor(old))
		if err := proto.Unmarshal(written, ours); err != nil || !proto.Equal(ours, theirs) {
			t.Errorf("%s is written as %v, %v", text, ours, err)
		}
	}
	if got := decode(t, old, nil); got != "field id: is required and missing" {
		t.Errorf("nothing is read as %s", got)
	}
	for in, want := range map[string]string{
		`{}`:                      "field id: is required and missing",
		`{"id":null}`:             "field id: is required and missing",
		`{"id":1,"next":{}}`:      "field next.id: is required and missing",
		`{"id":1,"size":3}`:       "field size: enum has no such value",
		`{"id":1,"size":"SMALL"}`: "",
	} {
		_, err := encode(t, old, in)
		if got := errorText(err); got != want {
			t.Errorf("%s gives %s, want %s", in, got, want)
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestWriteErrors(t *testing.T) {
	t.Parallel()
	every := message(t, "every.proto", "test.Every")
	for in, want := range map[string]string{
		`[]`:                                "an array cannot be written as message",
		`{"unknown":"canary","i32":null}`:   "",
		`{"i32":2147483648}`:                "field i32: number is out of range",
		`{"i32":"canary"}`:                  "field i32: text cannot be written as int32",
		`{"i64":9223372036854775808}`:       "field i64: number is out of range",
		`{"u32":-1}`:                        "field u32: number is out of range",
		`{"u64":18446744073709551616}`:      "field u64: number is out of range",
		`{"u64":1.5}`:                       "field u64: number is not whole",
		`{"u64":5.0}`:                       "",
		`{"u32":5e9}`:                       "field u32: number is out of range",
		`{"f":1e39}`:                        "field f: number is out of range",
		`{"b":1}`:                           "field b: a number cannot be written as bool",
		`{"s":1}`:                           "field s: a number cannot be written as string",
		`{"raw":"canary!"}`:                 "field raw: text is not base64",
		`{"colour":"canary"}`:               "field colour: enum has no such value",
		`{"colour":true}`:                   "field colour: a truth value cannot be written as enum",
		`{"colour":7}`:                      "",
		`{"numbers":{}}`:                    "field numbers: an object cannot be written as repeated field",
		`{"numbers":[1,null]}`:              "field numbers[]: null cannot be written as sint32",
		`{"children":[{"child":{"b":""}}]}`: "field children[].child.b: text cannot be written as bool",
		`{"counts":[]}`:                     "field counts: an array cannot be written as map",
		`{"counts":{"canary":""}}`:          "field counts[]: text cannot be written as int64",
		`{"by_number":{"canary":{}}}`:       "field by_number[]: name is not a key of the map's type",
		`{"by_truth":{"yes":"RED"}}`:        "field by_truth[]: name is not a key of the map's type",
		`{"left":1,"right":"r"}`:            "field right: another field of the same oneof is set too",
		`{"left":1,"right":null}`:           "",
		`{"at":"canary"}`:                   "field at: text is not a time; write 2026-02-25T06:13:20Z",
		`{"at":1772000000}`:                 "field at: a number cannot be written as time or duration (text)",
		`{"took":"5"}`:                      "field took: text is not a duration; write 1.5s",
		`{"took":"1.0000000001s"}`:          "field took: text is not a duration; write 1.5s",
		`{"took":"315576000001s"}`:          "field took: duration is out of range",
		`{"boxed":"canary"}`:                "field boxed: text cannot be written as int64",
		`{"free":[]}`:                       "field free: an array cannot be written as map",
		`{"list":{}}`:                       "field list: an object cannot be written as repeated field",
		`{"any":{"a":[1,"x",null,{}]}}`:     "",
	} {
		if _, err := encode(t, every, in); errorText(err) != want {
			t.Errorf("%s gives %v, want %s", in, err, want)
		}
	}
}

func TestZeroValuesTakeNoBytes(t *testing.T) {
	t.Parallel()
	if data, err := encode(t, message(t, "every.proto", "test.Every"), empty); err != nil || len(data) > 0 {
		t.Errorf("written as %x, %v", data, err)
	}
}

func TestLongMessagesGetRoomForTheirLength(t *testing.T) {
	t.Parallel()
	every := message(t, "every.proto", "test.Every")
	for _, size := range []int{126, 127, 128, 200, 16383, 16384, 1 << 21} {
		text := with(`"child":` + with(`"s":"`+strings.Repeat("x", size)+`"`))
		data, err := encode(t, every, text)
		if err != nil {
			t.Fatal(err)
		}
		if got := decode(t, every, data); got != text {
			t.Errorf("%d bytes become %.200s", size, got)
		}
	}
}
