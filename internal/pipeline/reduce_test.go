package pipeline

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"

	"streamer/internal/batcher"
	"streamer/internal/record"
)

const perCampaign = `{decode: json, encode: json, on_error: skip, steps: [` +
	`{filter: kind == "view"}, {key_by: campaign}, ` +
	`{reduce_by_key: {views: count(), spent: sum(price), least: min(price), most: max(name), mean: avg(price)}}]}`

// rowsOf makes the rows of blocks as a batch would.
func rowsOf(t interface{ Fatal(args ...any) }, chain *Chain, blocks ...*record.Block) []string {
	open := batcher.New(batcher.DefaultConfig())
	for _, b := range blocks {
		open.Add(b, b.Opened)
	}
	batch := open.Cut(record.ByInterval, blocks[0].Opened)
	if err := chain.NewReducer(context.Background()).Reduce(batch); err != nil {
		t.Fatal(err)
	}
	var rows []string
	for owner, out := range batch.Outputs {
		if owner != (record.Owner{}) {
			t.Fatal("a row has an owner")
		}
		rows = append(rows, fmt.Sprintf("%s %s", out.Key, out.Value))
	}
	if len(rows) != batch.Records {
		t.Fatal(fmt.Sprintf("%d rows, the batch says %d", len(rows), batch.Records))
	}
	return rows
}

func compiled(t testing.TB, text string) *Chain {
	t.Helper()
	chain, err := Compile(parse(t, text), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return chain
}

func TestReduceByKey(t *testing.T) {
	chain := compiled(t, perCampaign)
	b := process(chain.NewWorker(context.Background()), input(
		`{"kind":"view","campaign":"b","price":0.1,"name":"x"}`, `{"kind":"view","campaign":"a","price":2}`, `{"kind":"click","campaign":"a"}`,
		`{"kind":"view","campaign":"b","price":0.2,"name":"y"}`, `{"kind":"view","campaign":"a","price":3}`, `{"kind":"view"}`,
	))
	if b.Reduced != 5 || b.Filtered != 1 || b.Len() != 0 || b.In != nil {
		t.Errorf("%d reduced, %d filtered, %d outputs", b.Reduced, b.Filtered, b.Len())
	}
	want := []string{
		`a {"key":"a","views":2,"spent":5,"least":2,"most":null,"mean":2.5}`,
		`b {"key":"b","views":2,"spent":0.30000000000000004,"least":0.1,"most":"y","mean":0.15000000000000002}`,
		` {"key":null,"views":1,"spent":null,"least":null,"most":null,"mean":null}`,
	}
	if got := rowsOf(t, chain, b); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestReduceByCompositeAndOwnKey(t *testing.T) {
	composite := compiled(t, jsonSteps(`{key_by: {c: c, d: n % 2}}, {reduce_by_key: {n: count()}}`))
	b := process(composite.NewWorker(context.Background()), input(`{"c":"x","n":1}`, `{"c":"\u0078","n":3}`, `{"c":"x","n":2}`))
	want := []string{`{"c":"x","d":0} {"c":"x","d":0,"n":1}`, `{"c":"x","d":1} {"c":"x","d":1,"n":2}`}
	if got := rowsOf(t, composite, b); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	own := compiled(t, jsonSteps(`{reduce_by_key: {n: count()}}`))
	records := input(`1`, `2`, `3`)
	records[2].Key = records[0].Key
	want = []string{`k0 {"key":"k0","n":2}`, `k1 {"key":"k1","n":1}`}
	if got := rowsOf(t, own, process(own.NewWorker(context.Background()), records)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRowsSayWhatTheyAreMadeOf(t *testing.T) {
	chain := compiled(t, `{decode: json, encode: {key: json, value: json}, steps: [{key_by: k}, {reduce_by_key: {n: count()}}], `+
		`route: {headers: {size: 'n > 1 ? "big" : "small"'}}}`)
	b := process(chain.NewWorker(context.Background()), input(`{"k":"a"}`, `{"k":"a"}`, `{"k":"b"}`))
	batch := &record.Batch{ID: 7, Blocks: []*record.Block{b}, Spans: map[record.Owner]record.Span{
		{Topic: "events", Partition: 1}: {First: 10, Next: 13}, {Topic: "events", Partition: 0}: {First: 5, Next: 6}, {Topic: "more"}: {First: 0, Next: 2},
	}}
	if err := chain.NewReducer(context.Background()).Reduce(batch); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, out := range batch.Outputs {
		got = append(got, fmt.Sprintf("%s %s %s", out.Key, out.Value, out.Headers))
	}
	spans := `{streamer-batch 7} {streamer-spans {"events":{"0":[5,6],"1":[10,13]},"more":{"0":[0,2]}}}`
	want := []string{`"a" {"key":"a","n":2} [` + spans + ` {size big}]`, `"b" {"key":"b","n":1} [` + spans + ` {size small}]`}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestRowsAreTheSameForAnyCut: whatever the blocks, the workers and the order in which the blocks come, the same records
// give the same rows, byte for byte.
func TestRowsAreTheSameForAnyCut(t *testing.T) {
	chain := compiled(t, perCampaign)
	rapid.Check(t, func(t *rapid.T) {
		var values []string
		for range rapid.IntRange(1, 40).Draw(t, "records") {
			values = append(values, fmt.Sprintf(`{"kind":"view","campaign":%q,"price":%s,"name":%q}`,
				rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "campaign"),
				rapid.SampledFrom([]string{"0.1", "0.2", "1e308", "-1e308", "3", "9223372036854775807", "1e-300", `"x"`, "null"}).Draw(t, "price"),
				rapid.SampledFrom([]string{"x", "y", ""}).Draw(t, "name")))
		}
		whole := rowsOf(t, chain, process(chain.NewWorker(context.Background()), input(values...)))
		workers := []*Worker{chain.NewWorker(context.Background()), chain.NewWorker(context.Background())}
		var blocks []*record.Block
		for i, rest := 0, input(values...); len(rest) > 0; i++ {
			n := rapid.IntRange(1, len(rest)).Draw(t, "cut")
			partition := int32(rapid.IntRange(0, 2).Draw(t, "partition"))
			blocks = append(blocks, processFor(workers[i%2], partition, rest[:n]))
			rest = rest[n:]
		}
		if pieces := rowsOf(t, chain, blocks...); !slices.Equal(whole, pieces) {
			t.Fatalf("one block:\n%s\npieces:\n%s", strings.Join(whole, "\n"), strings.Join(pieces, "\n"))
		}
	})
}

func processFor(w *Worker, partition int32, records []*kgo.Record) *record.Block {
	b, _ := block(records)
	b.Owner.Partition = partition
	w.Process(b)
	return b
}

// The charge follows the aggregate from block to batch, and ends at nothing.
func TestPartialsAreCharged(t *testing.T) {
	chain := compiled(t, perCampaign)
	budget := record.NewBudget(0, func() {})
	account := budget.NewAccount()
	open := batcher.New(batcher.DefaultConfig())
	w := chain.NewWorker(context.Background())
	for range 3 {
		b := &record.Block{Owner: record.Owner{Topic: "events"}, In: input(`{"kind":"view","campaign":"a","price":1}`, `{"kind":"view","campaign":"b"}`)}
		account.Open(b)
		w.Process(b)
		if b.Bytes() < record.BlockOverhead+b.Partial.Bytes() {
			t.Errorf("a block with %d bytes of groups is charged %d", b.Partial.Bytes(), b.Bytes())
		}
		open.Add(b, b.Opened)
	}
	batch := open.Cut(record.ByInterval, time.Time{})
	if batch.Records != 2 || batch.Bytes != account.Used() {
		t.Errorf("the open batch has %d groups and %d bytes; the account has %d", batch.Records, batch.Bytes, account.Used())
	}
	if err := chain.NewReducer(context.Background()).Reduce(batch); err != nil {
		t.Fatal(err)
	}
	for _, b := range batch.Blocks {
		b.Release()
	}
	if account.Used() != 0 {
		t.Errorf("%d bytes are left", account.Used())
	}
}
