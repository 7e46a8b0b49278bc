package pipeline

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// A chain that notes only the fields that it reads gives what it gives when it notes all.
func TestFieldsThatAreNotReadMakeNoDifference(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, config string
		narrow       bool
	}{
		{"filter and map", `{decode: json, encode: json, on_error: skip, steps: [{filter: 'a.b > 1 || c == "x"'}, {map: {c: c, n: a.b}}, {filter: n != 4}]}`, true},
		{"checked as it is", `{decode: json, encode: json, on_error: skip, steps: [{filter: 'c == "x"'}]}`, true},
		{"nothing is read", `{decode: json, encode: json, on_error: skip, steps: [{map: {o: meta.offset}}]}`, true},
		{"expr's machine", `{decode: json, encode: json, on_error: skip, steps: [{filter: 'any(a.b ?? [], # == 1)'}, {map: {c: 'split(c, "")'}}]}`, true},
		{"the whole in a map", `{decode: json, encode: json, on_error: skip, steps: [{map: {all: $env}}]}`, false},
		{"a name that is computed", `{decode: json, encode: json, on_error: skip, steps: [{map: {v: '$env[c]'}}]}`, false},
		{"set", `{decode: json, encode: json, on_error: skip, steps: [{filter: 'c != "y"'}, {set: {n: a}}]}`, false},
		{"remove", `{decode: json, encode: json, on_error: skip, steps: [{remove: [a.b]}]}`, false},
		{"flat_map", `{decode: json, encode: json, on_error: skip, steps: [{flat_map: a}]}`, false},
		{"key and route", `{decode: json, encode: json, on_error: skip, steps: [{key_by: {a: a, c: c}}], route: {topic: c, headers: {h: a}}}`, true},
		{"reduce", `{decode: json, encode: json, on_error: skip, steps: [{key_by: c}, {reduce_by_key: {n: count(), sum: sum(a)}}]}`, true},
		{"a filter and keys from JSON", `{decode: {key: json, value: json}, encode: {key: json, value: json}, on_error: skip, steps: [{filter: 'key.a == 1 || a == 1'}]}`, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			options := Options{Topics: []string{"x", "y"}}
			some, err := Compile(parse(t, test.config), options)
			if err != nil {
				t.Fatal(err)
			}
			if narrow := some.rest.fields != nil; narrow != test.narrow {
				t.Errorf("notes some fields only: %v", narrow)
			}
			all, err := Compile(parse(t, test.config), options)
			if err != nil {
				t.Fatal(err)
			}
			all.rest.fields = nil
			narrow, wide := some.NewWorker(context.Background()), all.NewWorker(context.Background())
			rapid.Check(t, func(t *rapid.T) {
				values := rapid.SliceOfN(rapid.Custom(drawObject), 1, 12).Draw(t, "values")
				if got, want := run(narrow, input(values...)), run(wide, input(values...)); !reflect.DeepEqual(got, want) {
					t.Fatalf("%q:\n%+v\nwant\n%+v", values, got, want)
				}
			})
		})
	}
}

// drawObject draws objects of few names, so that they come in all orders, repeated, nested and escaped, or broken.
func drawObject(t *rapid.T) string {
	var fields []string
	for range rapid.IntRange(0, 5).Draw(t, "fields") {
		name := rapid.SampledFrom([]string{"a", "b", "c", "d", `\u0061`, "ü"}).Draw(t, "name")
		value := rapid.SampledFrom([]string{
			"1", "2.5", `"x"`, `"y\n"`, "null", `{"b":3,"a":1}`, `{"b":[1]}`, "[{\"c\":1},2]", "{", "\"\xff\"", "tru", "01",
		}).Draw(t, "value")
		fields = append(fields, fmt.Sprintf(rapid.SampledFrom([]string{`"%s":%s`, `"%s" : %s `}).Draw(t, "form"), name, value))
	}
	form := rapid.SampledFrom([]string{"{%s}", " {%s} ", "[%s]", "{%s"}).Draw(t, "whole")
	return fmt.Sprintf(form, strings.Join(fields, ","))
}
