package pipeline

import (
	"reflect"
	"slices"
	"testing"

	"go.yaml.in/yaml/v3"

	"streamer/internal/codec"
	"streamer/internal/setting"
)

func node(t *testing.T, text string) *yaml.Node {
	t.Helper()
	var n yaml.Node
	if err := yaml.Unmarshal([]byte(text), &n); err != nil {
		t.Fatal(err)
	}
	return n.Content[0]
}

func TestParseConfigKeepsTheUsersNames(t *testing.T) {
	got := parse(t, `
workers: 3
decode: json
encode: json
on_error: skip
steps:
  - filter: eventType == "view"
  - map:
      zebra: adId
      a.dotted.Name: $env["a.b"]
      Alpha: 1
      truth: true
`)
	want := Config{
		Workers: 3, Decode: jsonValue(), Encode: jsonValue(), OnError: OnError{Default: Skip},
		CircuitBreaker: DefaultConfig().CircuitBreaker,
		Steps: []Step{
			{Kind: KindFilter, Expression: `eventType == "view"`},
			{Kind: KindMap, Fields: Mapping{{"zebra", "adId"}, {"a.dotted.Name", `$env["a.b"]`}, {"Alpha", "1"}, {"truth", "true"}}},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if faults := got.Validate(Options{}); len(faults) > 0 {
		t.Error(faults)
	}
}

func jsonValue() Formats {
	return Formats{Key: codec.Config{Format: "raw"}, Value: codec.Config{Format: "json"}}
}

func TestParseConfigDefaults(t *testing.T) {
	for _, text := range []string{`null`, `{}`, `{workers: auto}`, `{decode: , encode: ~, workers: null, steps: }`} {
		if got := parse(t, text); !reflect.DeepEqual(got, DefaultConfig()) {
			t.Errorf("%s: got %+v", text, got)
		}
	}
	if faults := DefaultConfig().Validate(Options{}); len(faults) > 0 {
		t.Error(faults)
	}
}

func TestConfigIsWrittenAsItIsRead(t *testing.T) {
	want := parse(t, `{workers: 2, decode: json, encode: json, on_error: {decode: skip}, steps: [{filter: a == "x"}, `+
		`{map: {Z.z: a, "true": "1", b: "'it: is'"}}, {remove: [a.b]}, {join: {file: a.csv, key: k, on: b, as: c, reload: 5s}}, `+
		`{key_by: {a: b}}, {flat_map: items}], route: {topic: a, headers: {X.y: b}}, streams: {Eu: {topics: [a], decode: string, steps: [{set: {v: value}}]}}}`)
	text, err := yaml.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if got := parse(t, string(text)); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v from\n%s", got, text)
	}
}

func TestParseConfigFaults(t *testing.T) {
	for text, want := range map[string][]string{
		`[]`:                          {"pipeline: is not a section; write `key: value` lines below it"},
		`json`:                        {"pipeline: \"json\" is not a section; write `key: value` lines below it"},
		`{decod: json}`:               {"pipeline.decod: is not known; did you mean decode?"},
		`{transform: x}`:              {"pipeline.transform: is not known; pipeline has workers, decode, encode, on_error, circuit_breaker, streams, steps, route"},
		`{decode: json, decode: raw}`: {"pipeline.decode: is given twice; write it once"},
		`{workers: many}`:             {`pipeline.workers: "many" is not a number of workers; write auto, or 1 to 4096`},
		`{workers: 0}`:                {`pipeline.workers: "0" is not a number of workers; write auto, or 1 to 4096`},
		`{decode: {valu: json}}`:      {"pipeline.decode.valu: is not known; did you mean value?"},
		`{decode: [json]}`:            {"pipeline.decode: takes one word, not a list or a section; write decode: json"},
		`{on_error: [skip]}`:          {"pipeline.on_error: takes one word, not a list or a section; write on_error: fail"},
		`{steps: {filter: a}}`:        {"pipeline.steps: is not a list; write each step behind a dash, such as `- filter: a == 1`"},
		`{steps: [a == 1]}`:           {"pipeline.steps[0]: \"a == 1\" is not a step; write `filter: a == 1` or `map: {a: a}`"},
		`{steps: [{}, null]}`:         {"pipeline.steps[0]: is not a step; write `filter: a == 1` or `map: {a: a}`", "pipeline.steps[1]: \"null\" is not a step; write `filter: a == 1` or `map: {a: a}`"},
		`{steps: [{filter: "true"}, {fliter: a}]}`: {"pipeline.steps[1].fliter: is not known; did you mean filter?"},
		`{steps: [{filter: a, map: {b: b}}]}`:      {"pipeline.steps[0]: has filter and map; write two steps, each behind its own dash"},
		`{steps: [{aggregate: a}]}`:                {"pipeline.steps[0].aggregate: is not known; a step is one of filter, map, set, remove, flat_map, key_by, join, reduce_by_key"},
		`{steps: [{map: a}]}`:                      {"pipeline.steps[0].map: \"a\" is not an object; write `map: {name: expression}`"},
		`{steps: [{map: {a: [b], c: {d: e}}}]}`: {
			"pipeline.steps[0].map.a: is not an expression; put it in quotes if it has braces or brackets, such as '[a, b]'",
			"pipeline.steps[0].map.c: is not an expression; put it in quotes if it has braces or brackets, such as '[a, b]'",
		},
		`{steps: [{map: {a: b, a: c}}]}`: {"pipeline.steps[0].map.a: is given twice; write it once"},
	} {
		config, _, faults := ParseConfig(node(t, text))
		checkFaults(t, text, faults, want)
		for _, follow := range config.Validate(Options{}) {
			if len(config.Steps) > 0 {
				t.Errorf("%s: Validate adds %v", text, follow)
			}
		}
	}
}

func checkFaults(t *testing.T, text string, faults []setting.Fault, want []string) {
	t.Helper()
	var got []string
	for _, f := range faults {
		got = append(got, f.Error())
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s:\ngot  %q\nwant %q", text, got, want)
	}
}

func TestValidateFaults(t *testing.T) {
	for text, want := range map[string][]string{
		`{decode: avro, encode: JSON, on_error: dead_lettr}`: {
			`pipeline.on_error.default: "dead_lettr" is not a policy; did you mean dead_letter?`,
			`pipeline.encode.value.format: "JSON" is not a format; did you mean json?`,
			`pipeline.decode.value.schema: is missing; write the path of an .avsc file`,
		},
		`{workers: 100000}`: {`pipeline.workers: "100000" is not a number of workers; write auto, or 1 to 4096`},
		`{steps: [{filter: a == 1}]}`: {`pipeline.steps[0].filter: "a == 1" has an error at column 1: the value is not decoded, so it has no field a; ` +
			`write decode: json, or use only meta.topic, meta.partition, meta.offset, meta.timestamp, meta.key, meta.headers`},
		`{steps: [{filter: value contains "x"}]}`: {`pipeline.steps[0].filter: "value contains \"x\"" has an error at column 1: ` +
			`the value is not decoded; write decode: string for the whole text, or decode: json if value is a field of it`},
		`{decode: json, steps: [{filter: a ==}, {map: {b: c + , d: now()}}]}`: {
			`pipeline.steps[0].filter: "a ==" has an error at column 4: the expression ends too early`,
			`pipeline.steps[1].map.b: "c +" has an error at column 3: the expression ends too early`,
			`pipeline.steps[1].map.d: "now()" has an error at column 1: now() is off: the same records must always give the same result; ` +
				`use meta.timestamp, milliseconds since 1970`,
		},
		`{decode: json, steps: [{filter: a}, {map: {}}, {filter: " "}, {map: {x: }}]}`: {
			"pipeline.steps[1].map: has no fields; write `map: {name: expression}`",
			`pipeline.steps[2].filter: has an error at column 1: expression is empty; write a field or a comparison`,
			`pipeline.steps[3].map.x: has an error at column 1: expression is empty; write a field or a comparison`,
		},
		`{decode: json, encode: raw, steps: [{map: {a: a}}]}`: {`pipeline.encode: "raw" cannot write the object that the steps build; write encode: json`},
		`{decode: json, encode: string, steps: [{map: {a: a}}, {filter: a}]}`: {
			`pipeline.encode: "string" cannot write the object that the steps build; write encode: json`,
		},
		`{encode: json}`: {`pipeline.encode: "json" cannot be made from bytes that are not decoded; write decode: json to check ` +
			`that values are JSON, or decode: string to write each as a JSON string`},
		`{decode: jsn, steps: [{filter: a == 1}]}`: {`pipeline.decode.value.format: "jsn" is not a format; did you mean json?`},
		// after a map, names are fields again whatever decode says
		`{encode: json, steps: [{map: {k: meta.key}}, {filter: k == "a"}]}`: nil,
	} {
		config, _, faults := ParseConfig(node(t, text))
		if len(faults) > 0 {
			t.Errorf("%s: %v", text, faults)
		}
		checkFaults(t, text, config.Validate(Options{}), want)
		if _, err := Compile(config, Options{}); (err == nil) != (want == nil) {
			t.Errorf("%s: Compile: %v", text, err)
		}
	}
}
