package codec_test

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/sr"

	"streamer/internal/codec"
	"streamer/internal/document"
)

// What is written with a registry has a header, and is read by what the header says.
func TestFramedRoundTrips(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, test := range []struct {
		encode, decode codec.Config
		in, want       string
		header         string
	}{
		{
			codec.Config{Format: "avro", Schema: schemas + "view.avsc", Register: true},
			codec.Config{Format: "avro"},
			`{"ad":"a","price":2.5}`, `{"ad":"a","price":2.5,"user":null}`, "0000000001",
		},
		{
			codec.Config{Format: "avro", Schema: schemas + "view.avsc"},
			codec.Config{Format: "avro", Schema: schemas + "reader.avsc"},
			`{"ad":"a","price":2.5}`, `{"source":"web","ad":"a"}`, "0000000001",
		},
		{
			codec.Config{Format: "json", Framing: "confluent", Schema: schemas + "view.json", Subject: "j", Register: true},
			codec.Config{Format: "json", Framing: "confluent"},
			`{"ad":"a"}`, `{"ad":"a"}`, "0000000002",
		},
		{ // the import has id 3
			codec.Config{Format: "protobuf", Schema: schemas + "view.proto", Message: "shop.View", Subject: "p", Register: true},
			codec.Config{Format: "protobuf"},
			`{"ad":"a","price":{"cents":5}}`, `{"ad":"a","price":{"currency":"","cents":5}}`, "0000000004" + "0202",
		},
		{
			codec.Config{Format: "protobuf", Schema: schemas + "view.proto", Message: "shop.Click", Subject: "p"},
			codec.Config{Format: "protobuf", Message: "shop.Click"},
			`{"ad":"a"}`, `{"ad":"a"}`, "0000000004" + "00",
		},
		{
			codec.Config{Format: "protobuf", Schema: schemas + "view.proto", Message: "shop.View.Detail", Subject: "p"},
			codec.Config{Format: "protobuf"},
			`{"user":9007199254740993}`, `{"user":9007199254740993}`, "0000000004" + "040200",
		},
		{
			codec.Config{Format: "avro", Framing: "none", Schema: schemas + "view.avsc"},
			codec.Config{Format: "avro", Framing: "none", Schema: schemas + "view.avsc"},
			`{"ad":"a"}`, `{"ad":"a","price":0,"user":null}`, "0261",
		},
	} {
		data, err := write(t, w.encoder(t, test.encode), test.in)
		if err != nil {
			t.Fatalf("%+v: %v", test.encode, err)
		}
		if got := hex.EncodeToString(data); !strings.HasPrefix(got, test.header) {
			t.Errorf("%+v writes %s, want it to begin with %s", test.encode, got, test.header)
		}
		if got := read(t, w.decoder(t, test.decode), data); got != test.want {
			t.Errorf("%+v reads %s, want %s", test.decode, got, test.want)
		}
	}
	if !w.SubjectExists("views-value") || !w.SubjectExists("common/money.proto") {
		t.Error("a subject has another name")
	}
}

func TestKeysHaveTheirOwnSubject(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	encoders, err := codec.NewEncoder(codec.Config{Format: "avro", Schema: schemas + "view.avsc", Register: true},
		codec.Use{Encode: true, Key: true, Registry: true, Topic: "views"}, w.client)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := write(t, encoders(), `{"ad":"a"}`); err != nil || !w.SubjectExists("views-key") {
		t.Errorf("got %v; views-key %v", err, w.SubjectExists("views-key"))
	}
}

// Records of several schemas follow each other in one topic.
func TestSchemasChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.SeedSchema("a", 1, 1, sr.Schema{Schema: `"long"`})
	w.SeedSchema("a", 2, 2, sr.Schema{Schema: `"string"`})
	w.SeedSchema("a", 3, 3, sr.Schema{Schema: `"boolean"`})
	d := w.decoder(t, codec.Config{Format: "avro"})
	for range 2 {
		for data, want := range map[string]string{"\x00\x00\x00\x00\x01\x04": "2", "\x00\x00\x00\x00\x02\x02a": `"a"`, "\x00\x00\x00\x00\x03\x01": "true"} {
			if got := read(t, d, []byte(data)); got != want {
				t.Errorf("%q is read as %s, want %s", data, got, want)
			}
		}
	}
}

// Messages of one file follow each other in one topic, and the same ones in another file.
func TestMessagesChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.SeedSchema("a", 1, 1, sr.Schema{Type: sr.TypeProtobuf, Schema: `syntax = "proto3"; message A { string a = 1; } message B { string b = 1; }`})
	w.SeedSchema("b", 1, 2, sr.Schema{Type: sr.TypeProtobuf, Schema: `syntax = "proto3"; message A { string c = 1; }`})
	d := w.decoder(t, codec.Config{Format: "protobuf"})
	for range 2 {
		for _, test := range [][2]string{
			{"\x00\x00\x00\x00\x01\x00\x0a\x01x", `{"a":"x"}`},
			{"\x00\x00\x00\x00\x01\x02\x02\x0a\x01x", `{"b":"x"}`},
			{"\x00\x00\x00\x00\x02\x00\x0a\x01x", `{"c":"x"}`},
			{"\x00\x00\x00\x00\x01\x02\x00\x0a\x01x", `{"a":"x"}`},
		} {
			if got := read(t, d, []byte(test[0])); got != test[1] {
				t.Errorf("%q is read as %s, want %s", test[0], got, test[1])
			}
		}
	}
}

func TestFramedErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.SeedSchema("a", 1, 1, sr.Schema{Schema: `{"type":"record","name":"View","fields":[]}`})
	w.SeedSchema("b", 1, 2, sr.Schema{Type: sr.TypeProtobuf, Schema: `syntax = "proto3"; message View { string ad = 1; message Inner {} }`})
	w.SeedSchema("c", 1, 3, sr.Schema{Type: sr.TypeProtobuf, Schema: `syntax = "proto3"; message canary`})
	avroConfig, protoConfig := codec.Config{Format: "avro"}, codec.Config{Format: "protobuf", Message: "View"}
	for _, test := range []struct {
		config     codec.Config
		data, want string
	}{
		{avroConfig, "", "value is shorter than the header of a schema registry's framing"},
		{avroConfig, "\x00\x00\x00\x01", "value is shorter than the header of a schema registry's framing"},
		{avroConfig, "{\"canary\":1}", "value does not begin with the zero byte of a schema registry's framing"},
		{codec.Config{Format: "json", Framing: "confluent"}, "{\"canary\":1}", "value does not begin with the zero byte of a schema registry's framing"},
		{codec.Config{Format: "json", Framing: "confluent"}, "\x00\x00\x00\x00\x01{", "invalid JSON at byte 1: expected '\"' of a field name"},
		{avroConfig, "\x00\x00\x00\x00\x09canary", "get schema 9: the schema registry has no schema with this id"},
		{avroConfig, "\x00\xff\xff\xff\xffcanary", "get schema -1: the schema registry has no schema with this id"},
		{avroConfig, "\x00\x00\x00\x00\x02canary", "schema 2: is of type PROTOBUF, not AVRO"},
		{avroConfig, "\x00\x00\x00\x00\x01canary", "invalid avro: bytes are left behind the value"},
		{codec.Config{Format: "avro", Schema: schemas + "view.avsc"}, "\x00\x00\x00\x00\x01", "schema 1: field ad: the writer's schema lacks it, and the reader's has no default"},
		{protoConfig, "\x00\x00\x00\x00\x01\x00", "schema 1: is of type AVRO, not PROTOBUF"},
		{protoConfig, "\x00\x00\x00\x00\x02", "the list of message indexes behind the header is malformed"},
		{protoConfig, "\x00\x00\x00\x00\x02\x02", "the list of message indexes behind the header is malformed"},
		{protoConfig, "\x00\x00\x00\x00\x02\x01", "the list of message indexes behind the header is malformed"},
		{protoConfig, "\x00\x00\x00\x00\x02\xfe\xff\xff\xff\x0f", "the list of message indexes behind the header is malformed"},
		{protoConfig, "\x00\x00\x00\x00\x02\x02\x02", "schema has no message at the place that the value names"},
		{protoConfig, "\x00\x00\x00\x00\x02\x04\x00\x00", "value holds another message than the configuration says: it is View.Inner"},
		{protoConfig, "\x00\x00\x00\x00\x02\x00\xffcanary", "invalid protobuf: data is malformed or ends inside a field"},
		{protoConfig, "\x00\x00\x00\x00\x02\x00", `{"ad":""}`},
	} {
		d := w.decoder(t, test.config)
		for range 2 { // what is remembered is said again
			if got := read(t, d, []byte(test.data)); got != test.want {
				t.Errorf("%+v of %q gives %s, want %s", test.config, test.data, got, test.want)
			}
		}
	}
	if got := read(t, w.decoder(t, protoConfig), []byte("\x00\x00\x00\x00\x03\x00")); !strings.HasPrefix(got, "schema 3: schema.proto:1:") {
		t.Errorf("a schema that does not compile gives %s", got)
	}
	_, err := write(t, w.encoder(t, codec.Config{Format: "avro", Schema: schemas + "view.avsc"}), `{"ad":"canary"}`)
	if want := "find the schema's id: subject views-value does not have the schema; register it, or set register: true"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// A file in place of the registry: the header is passed over, its id says nothing.
func TestFramingWithoutRegistry(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		config     codec.Config
		data, want string
	}{
		{codec.Config{Format: "avro", Framing: "confluent", Schema: schemas + "view.avsc"}, "\x00\x00\x00\x00\x07\x02a\x00\x00\x00\x00\x00\x00\x00\x00\x00", `{"ad":"a","price":0,"user":null}`},
		{codec.Config{Format: "protobuf", Framing: "confluent", Schema: schemas + "view.proto"}, "\x00\x00\x00\x00\x07\x02\x02\x0a\x01a", `{"ad":"a"}`},
		{codec.Config{Format: "protobuf", Framing: "confluent", Schema: schemas + "view.proto", Message: "shop.View"}, "\x00\x00\x00\x00\x07\x00", "value holds another message than the configuration says: it is shop.Click"},
		{codec.Config{Format: "json", Framing: "confluent"}, "\x00\x00\x00\x00\x07[]", `[]`},
	} {
		if faults := test.config.Validate("decode", codec.Use{}); len(faults) > 0 {
			t.Fatal(faults)
		}
		decoders, err := codec.NewDecoder(test.config, codec.Use{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := read(t, decoders(), []byte(test.data)); got != test.want {
			t.Errorf("%+v gives %s, want %s", test.config, got, test.want)
		}
	}
}

func TestTombstonesAreEmptyDocuments(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []codec.Config{
		{Format: "raw"},
		{Format: "string"},
		{Format: "json"},
		{Format: "avro"},
		{Format: "protobuf"},
		{Format: "json", Framing: "confluent"},
		{Format: "avro", Framing: "none", Schema: schemas + "view.avsc"},
		{Format: "protobuf", Framing: "none", Schema: schemas + "view.proto", Message: "shop.View"},
	} {
		var d document.Document
		if err := d.Parse([]byte(`"of the record before"`)); err != nil {
			t.Fatal(err)
		}
		if err := w.decoder(t, c).Decode(t.Context(), &d, nil); err != nil || d.Kind(document.Root) != document.Missing {
			t.Errorf("%+v gives %v, %v", c, d.Kind(document.Root), err)
		}
	}
}

// A registry that is down holds the record up, and shows; the end of the context ends the wait.
func TestRegistryThatIsDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	asked := make(chan struct{}, 100)
	w.Intercept(func(rw http.ResponseWriter, _ *http.Request) bool {
		rw.WriteHeader(http.StatusServiceUnavailable)
		asked <- struct{}{}
		return true
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error)
	d := w.decoder(t, codec.Config{Format: "avro"})
	go func() {
		var doc document.Document
		done <- d.Decode(ctx, &doc, []byte("\x00\x00\x00\x00\x07a"))
	}()
	<-asked
	<-asked // the first has failed by then
	if err := w.client.Waiting(); err == nil || !strings.Contains(err.Error(), "/schemas/ids/7 answered 503") {
		t.Errorf("waits for %v", err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
