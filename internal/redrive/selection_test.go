package redrive

import (
	"slices"
	"strings"
	"testing"
	"time"

	"streamer/internal/codec"
	"streamer/internal/kafka"
	"streamer/internal/pipeline"
)

func TestSelectionFaults(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		selection Selection
		want      string
	}{
		{Selection{Classes: []string{"decode", "encod"}}, `--class: "encod" is not a class of failure; did you mean encode?`},
		{Selection{Classes: []string{"nonsense"}}, `--class: "nonsense" is not a class of failure; write one of decode, evaluate, encode, too_large, rejected`},
		{Selection{Decode: "avro"}, `--decode: "avro" is not known; write json, string, raw`},
		{Selection{Where: "a >"}, `--where: "a >" has an error at column 3: the expression ends too early`},
		{Selection{Where: "a > 1", Decode: "raw"}, `--where: "a > 1" has an error at column 1: `},
		{Selection{Since: born, Before: born}, `--before: "2026-01-31T12:00:00Z" is not after --since, so no letter is meant; write a later time`},
	} {
		_, err := New(configuration(), Options{Selection: test.selection})
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%+v: %v, want %s", test.selection, err, test.want)
		}
	}
}

func TestDecodeOf(t *testing.T) {
	t.Parallel()
	for want, value := range map[string][]codec.Config{
		"json":   {{Format: "json"}, {Format: "json", Framing: "none"}},
		"string": {{Format: "string"}},
		"raw":    {{Format: "raw"}, {Format: "json", Framing: "confluent"}, {Format: "avro"}, {}},
	} {
		for _, c := range value {
			if got := DecodeOf(pipeline.Config{Decode: pipeline.Formats{Value: c}}); got != want {
				t.Errorf("%+v gives %s, want %s", c, got, want)
			}
		}
	}
}

// The name is what a second run finds its progress by, also one of a later version: these are not to change.
func TestGroup(t *testing.T) {
	t.Parallel()
	all := Selection{
		Classes: []string{"decode", "encode"}, Step: "s", Topics: []string{"a", "b"}, Where: "w", Decode: "json",
		Since: born, Before: born.Add(time.Hour),
	}
	for _, test := range []struct {
		selection Selection
		through   bool
		want      string
	}{
		{Selection{}, false, "g.redrive.153f73a3"},
		{Selection{}, true, "g.redrive.55851f18"},
		{all, false, "g.redrive.32e82b34"},
	} {
		if got := test.selection.Group("g", deadTopic, test.through); got != test.want {
			t.Errorf("%+v: %s, want %s", test.selection, got, test.want)
		}
	}
	same := all
	same.Classes, same.Topics = []string{"encode", "decode", "encode"}, []string{"b", "a"}
	same.Since = all.Since.In(time.FixedZone("east", 3600))
	if a, b := all.Group("g", deadTopic, false), same.Group("g", deadTopic, false); a != b {
		t.Errorf("one selection has the groups %s and %s", a, b)
	}
	seen := map[string]bool{all.Group("g", deadTopic, false): true, all.Group("g", "other", false): true, all.Group("g", deadTopic, true): true}
	for _, change := range []func(*Selection){
		func(s *Selection) { s.Pipelines = []string{"g"} },
		func(s *Selection) { s.Pipelines = []string{"g", "h"} },
		func(s *Selection) { s.Classes = nil },
		func(s *Selection) { s.Step = "" },
		func(s *Selection) { s.Topics = []string{"a"} },
		func(s *Selection) { s.Where = "v" },
		func(s *Selection) { s.Decode = "raw" },
		func(s *Selection) { s.Since = born.Add(time.Millisecond) },
		func(s *Selection) { s.Since, s.Before = s.Before, s.Since },
	} {
		other := all
		change(&other)
		name := other.Group("g", deadTopic, false)
		if seen[name] {
			t.Errorf("%+v shares a group with another", other)
		}
		seen[name] = true
	}
}

func TestHas(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		selection Selection
		want      string // the offsets chosen of 0 decode orders, 1 evaluate orders, 2 decode clicks, and another pipeline's 3
	}{
		{"all", Selection{}, "0 1 2"},
		{"another pipeline", Selection{Pipelines: []string{"h"}}, "3"},
		{"both pipelines", Selection{Pipelines: []string{"h", "g"}}, "0 1 2 3"},
		{"class", Selection{Classes: []string{"decode"}}, "0 2"},
		{"classes", Selection{Classes: []string{"decode", "evaluate"}}, "0 1 2"},
		{"topic", Selection{Topics: []string{"clicks"}}, "2"},
		{"step", Selection{Step: "steps[0].map.a"}, "0 1 2"},
		{"no step", Selection{Step: "steps[0].map"}, ""},
		{"since", Selection{Since: born.Add(time.Second)}, "1 2"},
		{"before", Selection{Before: born.Add(time.Second)}, "0"},
		{"both", Selection{Since: born.Add(time.Second), Before: born.Add(2 * time.Second)}, "1"},
		{"where", Selection{Where: "n > 1", Decode: "json"}, "1 2"},
		{"where and class", Selection{Where: "n > 1", Decode: "json", Classes: []string{"evaluate"}}, "1"},
		{"where of headers", Selection{Where: `meta.headers["streamer-source-topic"] == "clicks"`}, "2"},
		{"where of the letter", Selection{Where: `meta.topic == "dead" and meta.key == "k1"`}, "1"},
	} {
		other := written(3, "orders", "decode", `{"n":4}`)
		other.Headers[slices.Index(kafka.DeadLetterHeaders(), kafka.HeaderPipeline)].Value = []byte("h")
		b := blockOf(
			written(0, "orders", "decode", `{"n":1}`), written(1, "orders", "evaluate", `{"n":2}`), written(2, "clicks", "decode", `{"n":3}`), other,
		)
		planOf(t, Options{Selection: test.selection}).Wrap(t.Context(), nil).Process(b)
		if got := offsets(b); got != test.want || b.Filtered != 4-len(b.Out) || b.Stopped != nil {
			t.Errorf("%s: chosen %q, filtered %d, stopped %v; want %q", test.name, got, b.Filtered, b.Stopped, test.want)
		}
	}
}
