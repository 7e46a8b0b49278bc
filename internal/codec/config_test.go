package codec_test

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"streamer/internal/codec"
	"streamer/internal/setting"
)

func lines(faults []setting.Fault) string {
	var out []string
	for _, f := range faults {
		out = append(out, f.Error())
	}
	return strings.Join(out, "\n")
}

// parse reads a word or a section.
func parse(t *testing.T, text string) codec.Config {
	t.Helper()
	var c codec.Config
	if !strings.Contains(text, ":") {
		return codec.Config{Format: text}
	}
	if err := yaml.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestConfigReadsBackWhatItWrites(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"avro\n", "raw\n", "format: avro\nframing: \"\"\nschema: a.avsc\nmessage: \"\"\nimports: []\nsubject: \"\"\nregister: false\n"} {
		c := parse(t, strings.TrimSpace(text))
		if got, err := yaml.Marshal(c); err != nil || string(got) != text {
			t.Errorf("%q was written as %q, %v", text, got, err)
		}
	}
}

func TestValidateFaults(t *testing.T) {
	t.Parallel()
	registry, encode := codec.Use{Registry: true}, codec.Use{Encode: true}
	encodeRegistry := codec.Use{Encode: true, Registry: true, Topic: "views"}
	for _, test := range []struct {
		config codec.Config
		use    codec.Use
		want   string
	}{
		{codec.Config{}, encode, ""},
		{codec.Config{Format: "json"}, registry, ""},
		{codec.Config{Format: "json", Framing: "confluent"}, codec.Use{}, ""},
		{codec.Config{Format: "avro"}, registry, ""},
		{codec.Config{Format: "jsn", Framing: "confluence"}, encode, `c.format: "jsn" is not a format; did you mean json?
c.framing: "confluence" is not a framing; did you mean confluent?`},
		{
			codec.Config{Format: "string", Framing: "confluent", Schema: "a", Message: "m", Imports: []string{"i"}, Subject: "s", Register: true},
			codec.Use{},
			`c.framing: "confluent" is for avro, protobuf and json; leave it out with string
c.schema: "a" has no effect with string; remove it
c.message: "m" has no effect with string; remove it
c.imports: "i" has no effect with string; remove it
c.subject: "s" has no effect where values are read, the header names the schema; remove it
c.register: "true" has no effect where values are read; remove it`,
		},
		{codec.Config{Format: "avro", Framing: "confluent"}, codec.Use{}, `c.framing: "confluent" needs the schema; set schema_registry.urls, or schema beside it`},
		{
			codec.Config{Format: "avro", Framing: "confluent", Schema: "a.avsc"},
			codec.Use{Encode: true, Topic: "a"},
			`c.framing: "confluent" needs a registry, which gives the schema its id; set schema_registry.urls`,
		},
		{codec.Config{Format: "avro"}, codec.Use{}, `c.schema: is missing; write the path of an .avsc file`},
		{codec.Config{Format: "protobuf"}, encode, `c.schema: is missing; write the path of a .proto file`},
		{codec.Config{Format: "protobuf", Imports: []string{"i"}}, registry, `c.imports: "i" has no effect without schema; remove it`},
		{codec.Config{Format: "json", Framing: "confluent"}, encodeRegistry, `c.schema: is missing; write the path of a JSON Schema file`},
		{codec.Config{Format: "json", Schema: "a"}, encodeRegistry, `c.schema: "a" has no effect with json, unless it is written with framing: confluent; remove it`},
		{codec.Config{Format: "avro", Schema: "a"}, codec.Use{Encode: true, Registry: true}, `c.subject: is missing, the topic is not fixed; write the subject's name`},
		{codec.Config{Format: "json", Subject: "s", Register: true}, encodeRegistry, `c.subject: "s" has no effect without a registry; set schema_registry.urls, or remove it
c.register: "true" has no effect without a registry; set schema_registry.urls, or remove it`},
	} {
		if got := lines(test.config.Validate("c", test.use)); got != test.want {
			t.Errorf("%+v for %+v gives\n%s\nwant\n%s", test.config, test.use, got, test.want)
		}
	}
}

func TestValidateReadsFiles(t *testing.T) {
	t.Parallel()
	encode := codec.Use{Encode: true}
	for _, test := range []struct {
		config codec.Config
		use    codec.Use
		want   string
	}{
		{codec.Config{Format: "avro", Schema: "nowhere"}, encode, `c.schema: "nowhere" cannot be read: no such file or directory`},
		{codec.Config{Format: "avro", Schema: schemas + "broken.avsc"}, encode, `c.schema: "testdata/schemas/broken.avsc" is not an Avro schema: read schema: invalid JSON at byte 34: expected ',' or '}' after a field`},
		{codec.Config{Format: "protobuf", Schema: schemas + "broken.proto"}, codec.Use{}, `c.schema: "testdata/schemas/broken.proto" is not a Protobuf schema: broken.proto:1:9: syntax error: unexpected '{'`},
		{codec.Config{Format: "protobuf", Schema: schemas + "view.proto"}, codec.Use{}, `c.message: is missing, the schema has shop.Click, shop.View`},
		{codec.Config{Format: "protobuf", Schema: schemas + "view.proto", Message: "View"}, encode, `c.message: "View" is not in the schema, which has shop.Click, shop.View`},
		{codec.Config{Format: "protobuf", Schema: schemas + "view.proto", Message: "common.Money"}, encode, ``},
		{codec.Config{Format: "protobuf", Schema: schemas + "view.proto", Message: "common.Money"}, codec.Use{Encode: true, Registry: true, Topic: "t"}, `c.message: "common.Money" is in an import, which the framing cannot say; write the file that has it into schema`},
		{codec.Config{Format: "protobuf", Schema: schemas + "common/money.proto"}, encode, ``},
		{codec.Config{Format: "json", Framing: "confluent", Schema: schemas + "view.proto"}, codec.Use{Encode: true, Registry: true, Topic: "t"}, `c.schema: "testdata/schemas/view.proto" is not a JSON Schema: invalid JSON at byte 0: no value starts with this character`},
	} {
		if got := lines(test.config.Validate("c", test.use)); got != test.want {
			t.Errorf("%+v for %+v gives\n%s\nwant\n%s", test.config, test.use, got, test.want)
		}
	}
}
