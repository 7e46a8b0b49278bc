package redrive

import (
	"fmt"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"

	"streamer/internal/pipeline"
	"streamer/internal/record"
)

// pipelines by what they leave in a block.
func pipelines(t *testing.T, onError string) map[string]*pipeline.Chain {
	t.Helper()
	chains := map[string]*pipeline.Chain{}
	for name, steps := range map[string][]pipeline.Step{
		"passes":  nil, // of orders, records as they are
		"maps":    {{Kind: pipeline.KindMap, Fields: pipeline.Mapping{{Name: "twice", Expression: "n * 2"}}}},
		"spreads": {{Kind: pipeline.KindFlatMap, Expression: "[n, n + 1]"}},
		"sums": {
			{Kind: pipeline.KindKeyBy, Expression: "n % 2"},
			{Kind: pipeline.KindReduce, Fields: pipeline.Mapping{{Name: "total", Expression: "sum(n)"}}},
		},
	} {
		c := pipeline.DefaultConfig()
		c.Decode.Value.Format, c.Encode.Value.Format, c.OnError.Default = "json", "json", onError
		c.Steps = steps
		own := c.Decode
		if steps == nil {
			c.Decode.Value.Format, c.Encode.Value.Format = "raw", "raw"
		}
		c.Streams = pipeline.Streams{{
			Name: "clicks", Topics: []string{"clicks"}, Decode: own, Steps: []pipeline.Step{{Kind: pipeline.KindFilter, Expression: "n > 3"}},
		}}
		chain, err := pipeline.Compile(c, pipeline.Options{})
		if err != nil {
			t.Fatal(err)
		}
		chains[name] = chain
	}
	return chains
}

// TestThroughAgainstModel holds runs of letters against the same records given to the chain one by one.
func TestThroughAgainstModel(t *testing.T) {
	t.Parallel()
	for _, policy := range []string{pipeline.Fail, pipeline.Skip, pipeline.DeadLetter} {
		for name, chain := range pipelines(t, policy) {
			t.Run(policy+" "+name, func(t *testing.T) {
				t.Parallel()
				plan := planOf(t, Options{Through: true, Selection: Selection{Classes: []string{"decode"}}})
				rapid.Check(t, func(rt *rapid.T) {
					in := rapid.SliceOfN(rapid.Custom(drawLetter), 1, 12).Draw(rt, "letters")
					for i := range in {
						in[i] = written(int64(i*2), in[i].Topic, string(in[i].Key), string(in[i].Value), kgo.RecordHeader{Key: "own"})
					}
					budget := record.NewBudget(0, func() {})
					b := blockIn(budget, in...)
					plan.Wrap(t.Context(), chain.NewWorker(t.Context())).Process(b)
					if got, want := outcome(b), outcome(model(t, chain, in)); got != want {
						rt.Fatalf("got\n%s\nwant\n%s", got, want)
					}
					checkCharge(rt, b, budget)
				})
			})
		}
	}
}

func drawLetter(t *rapid.T) *kgo.Record {
	return &kgo.Record{
		Topic: rapid.SampledFrom([]string{"orders", "clicks"}).Draw(t, "topic"),
		Key:   []byte(rapid.SampledFrom([]string{"decode", "decode", "encode"}).Draw(t, "class")),
		Value: []byte(rapid.SampledFrom([]string{`{"n":1}`, `{"n":2}`, `{"n":5}`, `{"n":8}`, `{"n":"x"}`, "{"}).Draw(t, "value")),
	}
}

// model gives each letter's record to the chain alone.
func model(t *testing.T, chain *pipeline.Chain, in []*kgo.Record) *record.Block {
	t.Helper()
	all := &record.Block{Span: blockOf(in...).Span}
	for _, l := range in {
		chosen, _ := (&chooser{selection: &Selection{Classes: []string{"decode"}}, sources: map[string]int{"orders": 4, "clicks": 1}}).
			choose(&record.Block{In: []*kgo.Record{l}})
		if len(chosen) == 0 {
			all.Filtered++
			continue
		}
		one := &record.Block{Owner: record.Owner{Topic: chosen[0].from.Topic}, In: []*kgo.Record{chosen[0].original()}}
		chain.NewWorker(t.Context()).Process(one)
		for i := range one.Len() {
			all.Out = append(all.Out, one.Output(i))
		}
		all.Skipped, all.Dead = append(all.Skipped, one.Skipped...), append(all.Dead, one.Dead...)
		all.Filtered, all.Reduced = all.Filtered+one.Filtered, all.Reduced+one.Reduced
		if all.Partial == nil {
			all.Partial = one.Partial
		} else if one.Partial != nil {
			all.Partial.Merge(one.Partial)
		}
		if one.Stopped != nil {
			all.Stopped, all.Span.Next = one.Stopped, l.Offset
			break
		}
	}
	return all
}

func outcome(b *record.Block) string {
	text := fmt.Sprintf("span %d-%d filtered %d reduced %d stopped %v\n", b.Span.First, b.Span.Next, b.Filtered, b.Reduced, b.Stopped)
	for i := range b.Out {
		text += fmt.Sprintf("out %d %s %s %s\n", b.Out[i].Offset, b.Out[i].Key, b.Out[i].Value, show(b.Out[i].Headers))
	}
	for i := range b.Dead {
		text += fmt.Sprintf("dead %v %s\n", b.Dead[i].Failure, b.Dead[i].Value)
	}
	for _, f := range b.Skipped {
		text += fmt.Sprintf("skipped %v\n", f)
	}
	if b.Partial != nil {
		text += fmt.Sprintf("partial %d groups, %d bytes\n", b.Partial.Len(), b.Partial.Bytes())
	}
	return text
}

// checkCharge would catch a block that gives back more or less than it took, and one that holds what it is not charged with.
func checkCharge(t *rapid.T, b *record.Block, budget *record.Budget) {
	least := int64(record.BlockOverhead) + int64(len(b.Skipped))*record.RecordOverhead
	for i := range b.Out {
		least += int64(len(b.Out[i].Key) + len(b.Out[i].Value))
	}
	for i := range b.Dead {
		least += b.Dead[i].Size()
	}
	if b.Partial != nil {
		least += b.Partial.Bytes()
		if b.Bytes() != least {
			t.Fatalf("charged %d, holds %d", b.Bytes(), least)
		}
	}
	if b.Bytes() < least {
		t.Fatalf("charged %d, holds %d or more", b.Bytes(), least)
	}
	if b.Release(); budget.Used() != 0 {
		t.Fatalf("%d bytes are left in the budget", budget.Used())
	}
}

// A letter that fails again is kept as it was read, and its dead letter names the record's place in the source.
func TestFailedAgainNamesItsSource(t *testing.T) {
	t.Parallel()
	chain := pipelines(t, pipeline.DeadLetter)["maps"]
	own := kgo.RecordHeader{Key: "own", Value: []byte("1")}
	in := []*kgo.Record{written(0, "orders", "decode", `{"n":1}`), written(3, "orders", "decode", "{", own), written(5, "clicks", "decode", "[", own)}
	b := blockOf(in...)
	planOf(t, Options{Through: true}).Wrap(t.Context(), chain.NewWorker(t.Context())).Process(b)
	if len(b.Dead) != 2 || b.Dead[0].Offset != 3 || b.Dead[1].Offset != 5 || show(b.Dead[0].Headers) != show(in[1].Headers) {
		t.Fatalf("dead %+v", b.Dead)
	}
	got := Original(b.Dead[1])
	if got.Owner != (record.Owner{Topic: "clicks", Partition: 1}) || got.Offset != 105 || got.Timestamp.UnixMilli() != 5005 ||
		show(got.Headers) != "own=1 streamer-redriven-from=dead/2/5" || got.Class != record.ClassDecode {
		t.Errorf("%+v", got)
	}
	in[1].Headers[0].Value[0] = 'X'
	if slices.ContainsFunc(b.Dead[0].Headers, func(h kgo.RecordHeader) bool { return len(h.Value) > 0 && h.Value[0] == 'X' }) {
		t.Error("the dead letter shares memory with the fetch")
	}
}
