package pipeline

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"

	"streamer/internal/record"
)

const viewsPipeline = `{decode: json, encode: json, on_error: skip, steps: [` +
	`{filter: 'event_type == "view" && (n ?? 1) < 5'}, {map: {id: id, twice: n * 2, at: meta.offset}}, {filter: twice != 4}]}`

func drawValue(t *rapid.T) string {
	return rapid.SampledFrom([]string{
		"nil", "", "{", `[]`, `{"event_type":"click"}`, `{"event_type":"view"}`, `{"event_type":"view","n":1,"id":"a"}`,
		`{"event_type":"view","n":2}`, `{"event_type":"view","n":"x"}`, `{"event_type":"view","n":3,"id":9007199254740993}`, "\xff",
	}).Draw(t, "value")
}

// TestAnyCutGivesTheSame cuts the same records into blocks at random places, among two workers: outputs, failures and
// counts are the same as in one block, and every record is accounted for.
func TestAnyCutGivesTheSame(t *testing.T) {
	chain, err := Compile(parse(t, viewsPipeline), Options{})
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Custom(drawValue), 0, 40).Draw(t, "values")
		whole := run(chain.NewWorker(context.Background()), input(values...))
		workers := []*Worker{chain.NewWorker(context.Background()), chain.NewWorker(context.Background())}
		var pieces ending
		for rest := input(values...); len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "cut")
			piece := run(workers[rapid.IntRange(0, 1).Draw(t, "worker")], rest[:n])
			pieces.outputs = append(pieces.outputs, piece.outputs...)
			pieces.skipped = append(pieces.skipped, piece.skipped...)
			pieces.filtered += piece.filtered
			rest = rest[n:]
		}
		if !slices.Equal(whole.outputs, pieces.outputs) || !slices.Equal(whole.skipped, pieces.skipped) || whole.filtered != pieces.filtered {
			t.Fatalf("one block: %+v\npieces: %+v", whole, pieces)
		}
		if n := len(whole.outputs) + len(whole.skipped) + whole.filtered; n != len(values) {
			t.Fatalf("%d records went in, %d are accounted for", len(values), n)
		}
	})
}

type ending struct {
	outputs, skipped []string
	filtered         int
}

func run(w *Worker, records []*kgo.Record) ending {
	b, _ := block(records)
	w.Process(b)
	r := ending{filtered: b.Filtered}
	for i := range b.Len() {
		r.outputs = append(r.outputs, fmt.Sprintf("%d %s %q %d", b.Output(i).Offset, b.Output(i).Key, b.Output(i).Value, b.Output(i).Timestamp.UnixMilli()))
	}
	for _, f := range b.Skipped {
		r.skipped = append(r.skipped, f.Error())
	}
	return r
}

// TestFailStopsWhereSkipWouldSkip: both policies agree on what comes before the first failure.
func TestFailStopsWhereSkipWouldSkip(t *testing.T) {
	config := parse(t, viewsPipeline)
	skip, err := Compile(config, Options{})
	if err != nil {
		t.Fatal(err)
	}
	config.OnError = OnError{Default: Fail}
	stop, err := Compile(config, Options{})
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Custom(drawValue), 0, 20).Draw(t, "values")
		skipped, stopped := process(skip.NewWorker(context.Background()), input(values...)), process(stop.NewWorker(context.Background()), input(values...))
		if (stopped.Stopped == nil) != (len(skipped.Skipped) == 0) {
			t.Fatalf("stopped %v, skipped %v", stopped.Stopped, skipped.Skipped)
		}
		if stopped.Stopped != nil && (stopped.Span.Next != skipped.Skipped[0].Offset || stopped.Stopped.Error() != skipped.Skipped[0].Error()) {
			t.Fatalf("stopped %v at %v, skipped first %v", stopped.Stopped, stopped.Span, skipped.Skipped[0])
		}
		before := slices.DeleteFunc(slices.Clone(skipped.Out), func(o record.Output) bool { return o.Offset >= stopped.Span.Next })
		if !slices.EqualFunc(stopped.Out, before, sameOutput) {
			t.Fatalf("stopped gives %+v, want %+v", stopped.Out, before)
		}
	})
}

// FuzzProcess feeds any bytes to pipelines of every kind: each record ends as exactly one of output, filtered and
// skipped, and the block's charge is what its outputs add up to or more.
func FuzzProcess(f *testing.F) {
	for _, seed := range []string{`{"event_type":"view","n":1}`, "\xff", "", `{"n":1e999}`, `[[[[`, `{"event_type":"view","n":9223372036854775807}`} {
		f.Add([]byte(seed), []byte("key"))
	}
	var chains []*Chain
	for _, text := range []string{
		`{}`, `{decode: json, encode: json}`, `{decode: string, encode: json}`, `{encode: string}`, viewsPipeline,
		`{decode: string, encode: json, steps: [{filter: 'value contains "a"'}, {map: {v: value, k: meta.key}}, {filter: 'len(v) > 1'}]}`,
		`{decode: json, encode: json, steps: [{map: {all: $env, k: 'keys($env)', n: 'n.a[0].b', s: 'string(n ?? 0)'}}, {map: {again: all.n}}]}`,
	} {
		config := parse(f, text)
		config.OnError = OnError{Default: Skip}
		chain, err := Compile(config, Options{})
		if err != nil {
			f.Fatal(err)
		}
		chains = append(chains, chain)
	}
	f.Fuzz(func(t *testing.T, value, key []byte) {
		for _, chain := range chains {
			records := []*kgo.Record{{Value: value, Key: key, Offset: 1}, {Value: nil, Offset: 2}, {Value: value, Offset: 3}}
			b, account := block(records)
			chain.NewWorker(context.Background()).Process(b)
			if b.Len()+len(b.Skipped)+b.Filtered != len(records) {
				t.Fatalf("%d outputs, %d skipped, %d filtered", b.Len(), len(b.Skipped), b.Filtered)
			}
			least := int64(record.BlockOverhead)
			for i := range b.Len() {
				least += int64(record.RecordOverhead + len(b.Output(i).Key) + len(b.Output(i).Value))
			}
			if b.Bytes() < least || account.Used() != b.Bytes() {
				t.Fatalf("charged %d, account %d, outputs are %d", b.Bytes(), account.Used(), least)
			}
		}
	})
}
