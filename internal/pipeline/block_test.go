package pipeline

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.yaml.in/yaml/v3"

	"streamer/internal/record"
)

// parse reads a pipeline section and expects no fault.
func parse(t testing.TB, text string) Config {
	t.Helper()
	var node yaml.Node
	if err := yaml.Unmarshal([]byte(text), &node); err != nil {
		t.Fatal(err)
	}
	var section *yaml.Node
	if len(node.Content) > 0 {
		section = node.Content[0]
	}
	config, _, faults := ParseConfig(section)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return config
}

func worker(t testing.TB, text string) *Worker {
	t.Helper()
	chain, err := Compile(parse(t, text), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return chain.NewWorker(context.Background())
}

// input makes records with offsets from 10; the value "nil" is a tombstone.
func input(values ...string) []*kgo.Record {
	records := make([]*kgo.Record, len(values))
	for i, value := range values {
		records[i] = &kgo.Record{
			Topic: "events", Partition: 1, Offset: int64(10 + i), LeaderEpoch: int32(i), Timestamp: time.UnixMilli(int64(1000 + i)),
			Key: fmt.Appendf(nil, "k%d", i), Value: []byte(value),
		}
		if value == "nil" {
			records[i].Value = nil
		}
	}
	return records
}

// block opens a block on an account of its own, charged as the assignment loop does.
func block(records []*kgo.Record) (*record.Block, *record.Account) {
	account := record.NewBudget(0, func() {}).NewAccount()
	b := &record.Block{Owner: record.Owner{Topic: "events", Partition: 1}, In: records, Received: len(records)}
	account.Open(b)
	for _, r := range records {
		b.Charge(record.Size(r))
	}
	if n := len(records); n > 0 {
		b.Span = record.Span{First: records[0].Offset, Next: records[n-1].Offset + 1, LeaderEpoch: records[n-1].LeaderEpoch}
	}
	return b, account
}

func process(w *Worker, records []*kgo.Record) *record.Block {
	b, _ := block(records)
	w.Process(b)
	return b
}

func values(b *record.Block) []string {
	out := make([]string, b.Len())
	for i := range b.Len() {
		if out[i] = string(b.Output(i).Value); b.Output(i).Value == nil {
			out[i] = "nil"
		}
	}
	return out
}
