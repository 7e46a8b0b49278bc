package pipeline

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/record"
)

// jsonSteps is a pipeline of steps over JSON values.
func jsonSteps(steps string) string { return `{decode: json, encode: json, steps: [` + steps + `]}` }

func TestMoreSteps(t *testing.T) {
	for _, test := range []struct {
		name, steps string
		in, want    []string
		filtered    int
	}{
		{
			"set writes over a field in its place, and new ones behind",
			`{set: {b: a + 1, z: '"new"'}}`,
			[]string{`{"a":1,"b":2,"c":[3, 4]}`, `{}`, "nil"},
			[]string{`{"a":1,"b":2,"c":[3,4],"z":"new"}`},
			0,
		},
		{
			"set sees the old values", `{set: {a: b, b: a}}`,
			[]string{`{"a":1,"b":2}`},
			[]string{`{"a":2,"b":1}`},
			0,
		},
		{
			"set reaches into objects, and makes those that are missing", `{set: {user.name: upper(user.name), user.org.id: '7', '"x.y".z': '1'}}`,
			[]string{`{"user":{"name":"ann","age":3}}`, `{"user":{"name":"bob","org":null}, "x.y":{"k":0}}`},
			[]string{`{"user":{"name":"ANN","age":3,"org":{"id":7}},"x.y":{"z":1}}`, `{"user":{"name":"BOB","org":{"id":7}},"x.y":{"k":0,"z":1}}`},
			0,
		},
		{
			"of a repeated name the last value counts, and one is written", `{set: {u.b: u.a}}, {set: {a: a}}`,
			[]string{`{"u":{"a":1},"a":1,"u":{"a":2},"a":3}`},
			[]string{`{"u":{"a":2,"b":2},"a":3}`},
			0,
		},
		{
			"remove leaves fields out", `{remove: [a, u.x, '"p.q"', nope.n]}`,
			[]string{`{"a":1,"u":{"x":1,"y":2},"p.q":3,"b":[1]}`, `{"u":4}`, "nil"},
			[]string{`{"u":{"y":2},"b":[1]}`, `{"u":4}`, "nil"},
			0,
		},
		{"remove takes one word", `{remove: a}`, []string{`{"a":1,"b":2}`}, []string{`{"b":2}`}, 0},
		{"escaped names are the same names", `{remove: [a]}, {set: {b: '1'}}`, []string{`{"\u0061":1,"\u0062":2,"c":3}`}, []string{`{"b":1,"c":3}`}, 0},
		{
			"flat_map makes a record of each element", `{flat_map: items}`,
			[]string{`{"items":[{"a":1}, "x", 2, null, [3]]}`, `{"items":[]}`, `{"items":null}`, `{}`, "nil"},
			[]string{`{"a":1}`, `"x"`, `2`, `null`, `[3]`, "nil"},
			3,
		},
		{
			"steps behind a flat_map work on the elements",
			`{flat_map: items}, {filter: n > 1}, {set: {twice: n * 2}}, {map: {t: twice, n: n}}`,
			[]string{`{"items":[{"n":1},{"n":2},{"n":3}]}`, `{"items":[{"n":1}]}`},
			[]string{`{"t":4,"n":2}`, `{"t":6,"n":3}`},
			1,
		},
		{
			"flat_map inside flat_map", `{flat_map: a}, {flat_map: b}, {map: {v: c}}`,
			[]string{`{"a":[{"b":[{"c":1},{"c":2}]},{"b":[]},{"b":[{"c":3}]}]}`},
			[]string{`{"v":1}`, `{"v":2}`, `{"v":3}`},
			0,
		},
		{
			"a list of other values", `{flat_map: 'split(tags, ",")'}, {map: {tag: $env}}`,
			[]string{`{"tags":"a,b"}`},
			[]string{`{"tag":"a"}`, `{"tag":"b"}`},
			0,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := process(worker(t, jsonSteps(test.steps)), input(test.in...))
			want := test.want
			if test.name == "set writes over a field in its place, and new ones behind" { // {} has no a: nil + 1
				if b.Stopped == nil || b.Stopped.Error() != "offset 11: evaluate: steps[0].set.b: column 3: invalid operation: nil + int" {
					t.Errorf("stopped %v", b.Stopped)
				}
			} else if b.Stopped != nil {
				t.Errorf("stopped %v", b.Stopped)
			}
			if got := values(b); !slices.Equal(got, want) || b.Filtered != test.filtered {
				t.Errorf("got %q, %d filtered\nwant %q, %d filtered", got, b.Filtered, want, test.filtered)
			}
		})
	}
}

func TestMoreFailures(t *testing.T) {
	for _, test := range []struct{ name, steps, value, want string }{
		{"set in a list", `{set: {a: '1'}}`, `[1]`, "evaluate: steps[0].set: cannot set a field of list"},
		{"set in a string", `{set: {u.a: '1'}}`, `{"u":"canary"}`, "evaluate: steps[0].set: cannot set a field of string"},
		{"remove of a number", `{remove: [a]}`, `5`, "evaluate: steps[0].remove: cannot remove a field of int"},
		{"flat_map of an object", `{flat_map: a}`, `{"a":{"b":1}}`, "evaluate: steps[0].flat_map: flat_map gives object, not a list"},
		{"a list as key", `{key_by: a}`, `{"a":[1]}`, "evaluate: steps[0].key_by: a key is list; write one of its fields, or key_by: {name: expression} for several"},
		{"a key that fails", `{key_by: {x: 'upper(a)'}}`, `{}`, "evaluate: steps[0].key_by.x: column 7: upper of nil; write ?? and a default behind the field"},
		{"sum of a string", `{reduce_by_key: {n: count(), s: sum(a)}}`, `{"a":"canary"}`, "evaluate: steps[0].reduce_by_key.s: sum of string"},
		{"max of a bool", `{reduce_by_key: {s: max(a)}}`, `{"a":true}`, "evaluate: steps[0].reduce_by_key.s: max of bool"},
		{
			"a flat_map whose second element fails leaves none behind", `{flat_map: a}, {map: {x: b + 1}}`, `{"a":[{"b":1},{"b":"canary"}]}`,
			"evaluate: steps[1].map.x: column 3: invalid operation: string + int",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, policy := range []string{Skip, DeadLetter} {
				config := parse(t, jsonSteps(test.steps))
				config.OnError = OnError{Default: Fail, Evaluate: policy}
				chain, err := Compile(config, Options{})
				if err != nil {
					t.Fatal(err)
				}
				b := process(chain.NewWorker(context.Background()), input(test.value))
				var got record.Failure
				switch {
				case policy == Skip && len(b.Skipped) == 1:
					got = b.Skipped[0]
				case policy == DeadLetter && len(b.Dead) == 1:
					got = b.Dead[0].Failure
				default:
					t.Fatalf("%s: skipped %v, dead %v, stopped %v", policy, b.Skipped, b.Dead, b.Stopped)
				}
				if want := "offset 10: " + test.want; got.Error() != want || b.Len() != 0 {
					t.Errorf("%s: got %v and %d outputs\nwant %s", policy, got, b.Len(), want)
				}
			}
		})
	}
}

// A dead letter is the record as it came, in memory of its own.
func TestDeadLettersAreTheRecordsAsTheyCame(t *testing.T) {
	records := input(`{"a":1}`, `{`, `{"a":3}`)
	records[1].Headers = []kgo.RecordHeader{{Key: "h", Value: []byte("v")}, {Key: "n"}}
	b, account := block(records)
	worker(t, `{decode: json, encode: json, on_error: {decode: dead_letter}, steps: [{map: {a: a}}]}`).Process(b)
	if len(b.Dead) != 1 || b.Len() != 2 {
		t.Fatalf("%d dead letters, %d outputs", len(b.Dead), b.Len())
	}
	letter := b.Dead[0]
	clear(records[1].Value) // the fetch's memory is used again
	got := fmt.Sprintf("%s %s %d %d %s %v", letter.Key, letter.Value, letter.Offset, letter.Timestamp.UnixMilli(), letter.Owner, letter.Headers)
	if want := "k1 { 11 1001 events/1 [{h [118]} {n []}]"; got != want || letter.Headers[1].Value != nil {
		t.Errorf("got %s, want %s", got, want)
	}
	if b.Bytes() < record.BlockOverhead+letter.Size() || account.Used() != b.Bytes() {
		t.Errorf("charged %d", b.Bytes())
	}
	if b.Release(); account.Used() != 0 {
		t.Errorf("%d bytes are left", account.Used())
	}
}

func TestKeys(t *testing.T) {
	const value = `{"s":"a\"b","n":7,"f":2.0,"t":true,"u":null}`
	for _, test := range []struct{ name, config, want string }{
		{"a string is its text", `{decode: json, steps: [{key_by: s}]}`, `a"b`},
		{"a number is its digits", `{decode: json, steps: [{key_by: n}]}`, `7`},
		{"a whole float is as the integer", `{decode: json, steps: [{key_by: f}]}`, `2`},
		{"a bool", `{decode: json, steps: [{key_by: t}]}`, `true`},
		{"nil is no key", `{decode: json, steps: [{key_by: u}]}`, `nil`},
		{"a composite key is an object", `{decode: json, steps: [{key_by: {x: s, y: n, z: u}}]}`, `{"x":"a\"b","y":7,"z":null}`},
		{"as JSON", `{decode: json, encode: {key: json}, steps: [{key_by: s}]}`, `"a\"b"`},
		{"the last key_by counts", `{decode: json, steps: [{key_by: s}, {key_by: n}]}`, `7`},
		{"route.key counts more", `{decode: json, steps: [{key_by: s}], route: {key: n + 1}}`, `8`},
		{"own", `{decode: json}`, `k0`},
		{"own, as JSON string", `{decode: {key: string}, encode: {key: json}}`, `"k0"`},
		{"own, checked", `{decode: {key: string}, encode: {key: string}}`, `k0`},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := process(worker(t, test.config), input(value))
			if b.Stopped != nil || b.Len() != 1 {
				t.Fatalf("stopped %v, %d outputs", b.Stopped, b.Len())
			}
			got := string(b.Output(0).Key)
			if b.Output(0).Key == nil {
				got = "nil"
			}
			if got != test.want || string(b.Output(0).Value) != value {
				t.Errorf("key %s, want %s; value %s", got, test.want, b.Output(0).Value)
			}
			if to := b.Output(0).To; (to != nil) == strings.HasPrefix(test.name, "own") || to != nil && !to.ByKey {
				t.Errorf("goes to %+v", to)
			}
		})
	}
}

// An empty key is a key, and is not the same as none.
func TestEmptyIsNotNil(t *testing.T) {
	b := process(worker(t, `{decode: json, steps: [{key_by: '""'}], route: {headers: {h: '""'}}}`), input(`1`))
	if out := b.Output(0); out.Key == nil || len(out.Key) != 0 || out.Headers[0].Value == nil {
		t.Errorf("key %v, headers %v", out.Key, out.Headers)
	}
}

func TestRoute(t *testing.T) {
	config := parse(t, `
decode: json
route:
  topic: kind
  partition: p
  timestamp: at
  headers: {source: meta.topic, n: n, gone: nope, old: '"new"'}
`)
	chain, err := Compile(config, Options{Topics: []string{"a", "b"}})
	if err != nil {
		t.Fatal(err)
	}
	records := input(`{"kind":"a","p":3,"at":5,"n":1.5}`, `{"kind":"b"}`, `{"p":0}`, `{}`, `{"kind":"a"}`, "nil")
	records[0].Headers = []kgo.RecordHeader{{Key: "old", Value: []byte("1")}, {Key: "keep", Value: nil}, {Key: "old"}}
	b := process(chain.NewWorker(context.Background()), records)
	if b.Stopped != nil {
		t.Fatal(b.Stopped)
	}
	var got []string
	for i := range b.Len() {
		out := b.Output(i)
		to := "own"
		if out.To != nil {
			to = fmt.Sprintf("%s/%d", out.To.Topic, out.To.Partition)
		}
		got = append(got, fmt.Sprintf("%s at %d %s", to, out.Timestamp.UnixMilli(), out.Headers))
	}
	want := []string{
		"a/3 at 5 [{keep } {source events} {n 1.5} {old new}]",
		"b/-1 at 1001 [{source events} {old new}]",
		"/0 at 1002 [{source events} {old new}]",
		"own at 1003 [{source events} {old new}]",
		"a/-1 at 1004 [{source events} {old new}]",
		"own at 1005 [{source events} {old new}]",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if b.Output(0).Headers[0].Value != nil {
		t.Error("a header that is nil became empty")
	}
}

func TestRouteFailures(t *testing.T) {
	for value, want := range map[string]string{
		`{"kind":"canary"}`:        "evaluate: route.topic: the topic is not one of sink.kafka.topics",
		`{"kind":["a"]}`:           "evaluate: route.topic: ",
		`{"p":-1}`:                 "evaluate: route.partition: the partition is not a whole number from 0, or nil",
		`{"p":3000000000}`:         "evaluate: route.partition: the partition is not a whole number from 0, or nil",
		`{"p":"1"}`:                "evaluate: route.partition: the partition is not a whole number from 0, or nil",
		`{"at":1.5}`:               "evaluate: route.timestamp: the timestamp is not a whole number of milliseconds from 0, or nil",
		`{"kind":"a","h":{"x":1}}`: "encode: route.headers.h: ",
	} {
		chain, err := Compile(parse(t, `{decode: json, on_error: skip, route: {topic: kind, partition: p, timestamp: at, headers: {h: h}}}`),
			Options{Topics: []string{"a"}})
		if err != nil {
			t.Fatal(err)
		}
		b := process(chain.NewWorker(context.Background()), input(value))
		if len(b.Skipped) != 1 || !strings.HasPrefix(b.Skipped[0].Error(), "offset 10: "+want) || strings.Contains(b.Skipped[0].Error(), "canary") {
			t.Errorf("%s: skipped %v, want %s", value, b.Skipped, want)
		}
	}
}

func TestStreams(t *testing.T) {
	chain, err := Compile(parse(t, `
decode: json
streams:
  text:
    topics: [lines, more]
    decode: string
    steps:
      - map: {kind: '"line"', value: value}
  nested:
    topics: [nested]
    decode: json
    steps:
      - flat_map: events
steps:
  - filter: kind != "drop"
  - set: {topic: meta.topic}
encode: json
`), Options{Sources: []string{"lines", "more", "nested", "events"}})
	if err != nil {
		t.Fatal(err)
	}
	w := chain.NewWorker(context.Background())
	for topic, values := range map[string][2]string{
		"lines":  {`a line`, `[{"kind":"line","value":"a line","topic":"lines"}]`},
		"more":   {`{"kind":"drop"}`, `[{"kind":"line","value":"{\"kind\":\"drop\"}","topic":"more"}]`},
		"nested": {`{"events":[{"kind":"a"},{"kind":"drop"},{"kind":"b"}]}`, `[{"kind":"a","topic":"nested"} {"kind":"b","topic":"nested"}]`},
		"events": {`{"kind":"e"}`, `[{"kind":"e","topic":"events"}]`},
	} {
		records := input(values[0])
		records[0].Topic = topic
		b, _ := block(records)
		b.Owner.Topic = topic
		w.Process(b)
		var got []string
		for i := range b.Len() {
			got = append(got, string(b.Output(i).Value))
		}
		if text := fmt.Sprint(got); text != values[1] || b.Stopped != nil {
			t.Errorf("%s: got %s, stopped %v, want %s", topic, text, b.Stopped, values[1])
		}
	}
}
