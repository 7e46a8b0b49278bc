package pipeline

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"streamer/internal/codec"
	"streamer/internal/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPassThroughIsByteForByte(t *testing.T) {
	records := input("\xff\x00", "nil", "", " { not json")
	records[0].Key = nil
	records[1].Key = []byte{}
	records[2].Headers = []kgo.RecordHeader{{Key: "a", Value: []byte("1")}, {Key: "a"}, {Key: "", Value: []byte{}}}
	records[3].Headers = []kgo.RecordHeader{}
	for _, text := range []string{``, `{decode: json}`, `{decode: string}`, `{steps: [{filter: meta.partition == 1}]}`} {
		want := make([]record.Output, len(records))
		for i, r := range records {
			want[i] = record.Output{Key: r.Key, Value: r.Value, Headers: r.Headers, Timestamp: r.Timestamp, Offset: r.Offset}
		}
		b := process(worker(t, text), records)
		if b.Len() != len(want) || b.In != nil || b.Filtered != 0 {
			t.Fatalf("%q: %d outputs, %d filtered", text, b.Len(), b.Filtered)
		}
		for i := range want {
			if !sameOutput(b.Output(i), want[i]) {
				t.Errorf("%q: got %+v, want %+v", text, b.Output(i), want[i])
			}
		}
	}
}

// sameOutput tells nil from empty.
func sameOutput(a, b record.Output) bool {
	same := func(a, b []byte) bool { return bytes.Equal(a, b) && (a == nil) == (b == nil) }
	return same(a.Key, b.Key) && same(a.Value, b.Value) && a.Timestamp.Equal(b.Timestamp) && a.Offset == b.Offset &&
		(a.Headers == nil) == (b.Headers == nil) &&
		slices.EqualFunc(a.Headers, b.Headers, func(x, y kgo.RecordHeader) bool { return x.Key == y.Key && same(x.Value, y.Value) })
}

func TestSteps(t *testing.T) {
	for _, test := range []struct {
		name, config string
		in, want     []string
		filtered     int
	}{
		{
			"filter keeps what is true", `{decode: json, steps: [{filter: 'a > 1'}]}`,
			[]string{`{"a":1}`, `{"a": 2}`, `{"b":3}`, `{"a":null}`, `[1]`, `{"a":3.5}`},
			[]string{`{"a": 2}`, `{"a":3.5}`},
			4,
		},
		{
			"nil is not kept", `{decode: json, steps: [{filter: ok}]}`,
			[]string{`{"ok":true}`, `{"ok":false}`, `{}`},
			[]string{`{"ok":true}`},
			2,
		},
		{
			"map builds an object in the written order", `{decode: json, encode: json, steps: [{map: {z: a, Camel.Case: b.c, "q\"": 'a + 1', n: nope}}]}`,
			[]string{`{"a":9007199254740993,"b":{"c":[1, "x"]}}`},
			[]string{`{"z":9007199254740993,"Camel.Case":[1,"x"],"q\"":9007199254740994,"n":null}`},
			0,
		},
		{
			"a step sees what the last map built",
			`{decode: json, encode: json, steps: [{map: {x: a, y: a * 2}}, {filter: y > 2}, {map: {y: y, a: a}}, {map: {z: y}}, {filter: z < 100}]}`,
			[]string{`{"a":1}`, `{"a":2}`, `{"a":50}`, `{"a":3}`},
			[]string{`{"z":4}`, `{"z":6}`},
			2,
		},
		{
			"maps read one object while they write another", `{decode: json, encode: json, steps: [` +
				`{map: {x: a, y: b}}, {filter: x < 9}, {map: {long: 'repeat("z", 40)', y: y, x: x}}, {map: {x: x, y: y, l: 'len(long)'}}, {map: {y: y, x: x}}]}`,
			[]string{`{"a":1,"b":2}`, `{"a":9}`, `{"a":3,"b":4}`},
			[]string{`{"y":2,"x":1}`, `{"y":4,"x":3}`},
			1,
		},
		{
			"tombstones stay tombstones", `{decode: json, encode: json, steps: [{map: {a: a}}]}`,
			[]string{"nil", `{"a":1}`, `null`},
			[]string{"nil", `{"a":1}`, `{"a":null}`},
			0,
		},
		{
			"a tombstone has no fields", `{decode: json, encode: json, steps: [{filter: '$env == nil || a == 1'}]}`,
			[]string{"nil", `{"a":1}`, `{}`},
			[]string{"nil", `{"a":1}`},
			1,
		},
		{"json to json is checked and stays", `{decode: json, encode: json}`, []string{` { "a" : 1 } `, "nil"}, []string{` { "a" : 1 } `, "nil"}, 0},
		{"string to json is quoted", `{decode: string, encode: json}`, []string{"a\"b\n", "", "nil"}, []string{`"a\"b\n"`, `""`, "nil"}, 0},
		{"json to string", `{decode: json, encode: string}`, []string{`{"a":1}`, "not json"}, []string{`{"a":1}`, "not json"}, 0},
		{"raw to string", `{encode: string}`, []string{"grüezi", "nil"}, []string{"grüezi", "nil"}, 0},
		{"string has one name", `{decode: string, steps: [{filter: value contains "x"}]}`, []string{"axb", "ab", "nil"}, []string{"axb"}, 2},
		{"map of text", `{decode: string, encode: json, steps: [{map: {line: value, at: meta.offset}}]}`, []string{"a\tb"}, []string{`{"line":"a\tb","at":10}`}, 0},
		{"map of metadata only", `{encode: json, steps: [{map: {k: meta.key, p: meta.partition}}]}`, []string{"\xff"}, []string{`{"k":"k0","p":1}`}, 0},
		{"bad JSON that nobody looks into passes", `{decode: json, steps: [{filter: meta.offset > 10}]}`, []string{"{", "}"}, []string{"}"}, 1},
		{"no records", `{decode: json, steps: [{filter: a}]}`, nil, []string{}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := process(worker(t, test.config), input(test.in...))
			if got := values(b); !slices.Equal(got, test.want) || b.Filtered != test.filtered || b.Stopped != nil || b.Skipped != nil {
				t.Errorf("got %q, %d filtered, stopped %v, skipped %v\nwant %q, %d filtered", got, b.Filtered, b.Stopped, b.Skipped, test.want, test.filtered)
			}
		})
	}
}

func TestFailures(t *testing.T) {
	const (
		decodeFailed = "offset 11: " + record.ClassDecode + ": "
		encodeFailed = "offset 11: " + record.ClassEncode + ": "
	)
	const steps = `steps: [{filter: 'a > 1'}, {map: {b: a * 2, k: 'meta.key + ""'}}]`
	for _, test := range []struct {
		name, config, value, want string
	}{
		{
			"not JSON", `{decode: json, ` + steps + `, encode: json}`, `{"a":canary}`,
			decodeFailed + "invalid JSON at byte 5: no value starts with this character",
		},
		{
			"nested too deep", `{decode: json, encode: json}`, strings.Repeat("[", 10_000),
			decodeFailed + "invalid JSON at byte 512: arrays and objects are nested more than 512 deep",
		},
		{"empty", `{decode: json, encode: json}`, ``, decodeFailed + "invalid JSON at byte 0: text ends where a value should be"},
		{"not UTF-8", `{decode: string, encode: string}`, "canary\xff", decodeFailed + "invalid UTF-8 at byte 6"},
		{"not UTF-8 at the end", `{encode: string}`, "canary\xff", encodeFailed + "invalid UTF-8 at byte 6"},
		{"not UTF-8 to be quoted", `{decode: string, encode: json}`, "canary\xff", decodeFailed + "invalid UTF-8 at byte 6"},
		{
			"filter", `{decode: json, ` + steps + `, encode: json}`, `{"a":"canary"}`,
			"offset 11: evaluate: steps[0].filter: column 3: invalid operation: string > int",
		},
		{
			"filter gives no bool", `{decode: json, steps: [{filter: ok}]}`, `{"ok":"canary"}`,
			"offset 11: evaluate: steps[0].filter: filter gives string, not true or false",
		},
		{
			"map", `{decode: json, encode: json, steps: [{map: {c: 1, x.y: 'int(a)'}}]}`, `{"a":"canary"}`,
			"offset 11: evaluate: steps[0].map.x.y: column 1: operation failed on this value",
		},
		{
			"a value JSON cannot hold", `{decode: json, encode: json, steps: [{map: {x: '1 / a'}}]}`, `{"a":0}`,
			"offset 11: encode: steps[0].map.x: a number is infinite or not a number; JSON cannot hold it",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			const good = `{"a":5,"ok":true}`
			for _, policy := range []string{"fail", "skip"} {
				config := parse(t, test.config)
				config.OnError = OnError{Default: policy}
				chain, err := Compile(config, Options{})
				if err != nil {
					t.Fatal(err)
				}
				b := process(chain.NewWorker(context.Background()), input(good, test.value, good))
				checkPolicy(t, b, policy, test.want)
			}
		})
	}
}

// checkPolicy expects that the second of three records failed.
func checkPolicy(t *testing.T, b *record.Block, policy, want string) {
	t.Helper()
	switch policy {
	case "fail":
		if b.Stopped == nil || b.Stopped.Error() != want {
			t.Errorf("stopped by %v, want %s", b.Stopped, want)
		}
		if b.Span != (record.Span{First: 10, Next: 11, LeaderEpoch: 0}) || b.Len() != 1 || b.Output(0).Offset != 10 || b.Skipped != nil {
			t.Errorf("span %+v, outputs %+v, skipped %v", b.Span, b.Out, b.Skipped)
		}
	case "skip":
		if len(b.Skipped) != 1 || b.Skipped[0].Error() != want {
			t.Errorf("skipped %v, want %s", b.Skipped, want)
		}
		if b.Span != (record.Span{First: 10, Next: 13, LeaderEpoch: 2}) || b.Stopped != nil ||
			b.Len() != 2 || b.Output(0).Offset != 10 || b.Output(1).Offset != 12 {
			t.Errorf("span %+v, outputs %+v, stopped %v", b.Span, b.Out, b.Stopped)
		}
	}
}

// What a map wrote for a record that a later step dropped must not stay in the arena: it would be allocated, not charged.
func TestDroppedRecordsLeaveNothingInTheArena(t *testing.T) {
	w := worker(t, `{decode: json, encode: json, steps: [{map: {a: a}}, {filter: a > 1}]}`)
	w.enter(w.chain.rest)
	for i, r := range input(`{"a":1}`, `{"a":"x"}`) {
		if failure := w.one(r); w.kept || (failure != nil) != (i == 1) || len(w.arena) != 0 {
			t.Errorf("record %d: kept %v, %v, %d bytes in the arena", i, w.kept, failure, len(w.arena))
		}
	}
}

func TestStopAtTheFirstRecordLeavesAnEmptySpan(t *testing.T) {
	b := process(worker(t, `{decode: json, encode: json}`), input("{", "{}"))
	if !b.Span.Empty() || b.Span.Next != 10 || b.Span.LeaderEpoch != -1 || b.Len() != 0 || b.In != nil {
		t.Errorf("span %+v, outputs %+v", b.Span, b.Out)
	}
}

// A panic, wherever it comes from, is a failure of that record alone, and what it says is not passed on.
func TestPanicIsAFailureOfTheRecord(t *testing.T) {
	w := worker(t, `{decode: json, encode: json, on_error: skip, steps: [{map: {a: a}}]}`)
	records := input(`{"a":1}`, `{"a":"canary"}`, `{"a":3}`)
	w.enter(w.chain.rest)
	field := &w.branch.links[0].(*mapping).fields[0]
	program := field.program
	b, _ := block(records)
	for i, r := range records {
		if i == 1 {
			field.program = nil // as good a panic as any
		}
		failure := w.one(r)
		if i == 1 {
			if failure == nil || len(w.emitted) != 1 || failure.Error() != "offset 11: evaluate: steps[0].map: internal error; please report it with the expression" {
				t.Errorf("got %v", failure)
			}
			field.program = program
		} else if failure != nil {
			t.Errorf("record %d: %v", i, failure)
		}
	}
	w.settle(b, usage{})
	if got := values(b); !slices.Equal(got, []string{`{"a":1}`, `{"a":3}`}) {
		t.Errorf("got %q", got)
	}
}

func TestCompileListsAllFaults(t *testing.T) {
	_, err := Compile(Config{
		Decode: Formats{Key: codec.Config{Format: "raw"}, Value: codec.Config{Format: "jason"}}, Encode: rawFormats(), OnError: OnError{Default: "ignore"},
		Steps: []Step{{Kind: KindFilter, Expression: "a ="}}, CircuitBreaker: DefaultConfig().CircuitBreaker,
	}, Options{})
	for _, want := range []string{"pipeline.decode", "pipeline.on_error", "pipeline.steps[0].filter"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
	if faults := strings.Count(err.Error(), "pipeline."); faults != 3 {
		t.Errorf("%d faults: %v", faults, err)
	}
}
