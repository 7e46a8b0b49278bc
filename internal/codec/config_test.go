package codec_test

import (
	"slices"
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

func parse(t *testing.T, text string) (codec.Config, []setting.Fault) {
	t.Helper()
	var node yaml.Node
	if err := yaml.Unmarshal([]byte(text), &node); err != nil {
		t.Fatal(err)
	}
	if len(node.Content) == 0 {
		return codec.ParseConfig("decode", nil)
	}
	return codec.ParseConfig("decode", node.Content[0])
}

func TestParseConfig(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]codec.Config{
		"":             {},
		"avro":         {Format: "avro"},
		"null":         {},
		"format: json": {Format: "json"},
		`{format: protobuf, framing: none, schema: a.proto, message: a.B, imports: [x, y], subject: s, register: true}`: {
			Format: "protobuf", Framing: "none", Schema: "a.proto", Message: "a.B", Imports: []string{"x", "y"}, Subject: "s", Register: true,
		},
		"{format: avro, schema: }": {Format: "avro"},
	} {
		got, faults := parse(t, text)
		if len(faults) > 0 || !slices.Equal(got.Imports, want.Imports) {
			t.Errorf("%s: got %+v, faults %v", text, got, faults)
		}
		got.Imports, want.Imports = nil, nil
		if got.Format != want.Format || got.Schema != want.Schema || got.Message != want.Message || got.Framing != want.Framing ||
			got.Subject != want.Subject || got.Register != want.Register {
			t.Errorf("%s: got %+v, want %+v", text, got, want)
		}
	}
}

func TestParseConfigFaults(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"[json]": "decode: is a list; write a format such as json, or a section with format: json",
		"{formt: json, schema: [a], imports: {a: b}, register: 7}": `decode.formt: is not known; did you mean format?
decode.schema: takes one word
decode.imports: is not a list of directories; write [dir]
decode.register: is not true or false
decode.format: is missing; write one of raw, string, json, avro, protobuf`,
		"{format: json, format: raw, colour: red}": `decode.format: is given twice; write it once
decode.colour: is not known; a format has format, framing, schema, message, imports, subject, register`,
	} {
		if _, faults := parse(t, text); lines(faults) != want {
			t.Errorf("%s gives\n%s\nwant\n%s", text, lines(faults), want)
		}
	}
}

func TestConfigReadsBackWhatItWrites(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"avro\n", "raw\n", "format: avro\nframing: \"\"\nschema: a.avsc\nmessage: \"\"\nimports: []\nsubject: \"\"\nregister: false\n"} {
		c, _ := parse(t, text)
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
