package integration_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/integration/ledger"
	"streamer/integration/service"
)

// send produces records to the flow's input in their order.
func (f *flow) send(t *testing.T, records ...*kgo.Record) {
	t.Helper()
	for _, r := range records {
		r.Topic = f.Topic
	}
	if err := f.broker.Client(t, ledger.ProducerOpts()...).ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// topic reads everything that is in a topic.
func (f *flow) topic(t *testing.T, name string) []*kgo.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), service.Patience)
	defer cancel()
	var got []*kgo.Record
	if err := ledger.ReadTopic(ctx, f.broker.Addrs, name, func(r *kgo.Record) { got = append(got, r) }); err != nil {
		t.Fatal(err)
	}
	return got
}

func header(r *kgo.Record, name string) string {
	for _, h := range slices.Backward(r.Headers) {
		if h.Key == name {
			return string(h.Value)
		}
	}
	return ""
}

// TestDeadLetters has records that fail to decode and to evaluate among good ones. It would catch a dead letter that is
// not the record as it came, that does not say where it came from, or that takes a neighbour with it.
func TestDeadLetters(t *testing.T) {
	t.Parallel()
	f := newFlow(t, 1)
	dead := f.broker.Topic(t, "dead", 1, nil)
	f.send(t,
		&kgo.Record{Key: []byte("a"), Value: []byte(`{"n":1}`)},
		&kgo.Record{Key: []byte("b"), Value: []byte("\x00not JSON\xff"), Headers: []kgo.RecordHeader{{Key: "trace", Value: []byte("t1")}, {Key: "nil"}}},
		&kgo.Record{Key: nil, Value: []byte(`{"n":"secret"}`)},
		&kgo.Record{Key: []byte("d"), Value: []byte(`{"n":4}`)},
	)
	s := binary.Start(t, f.config().With(service.Config{
		"pipeline.decode": "json", "pipeline.encode": "json", "pipeline.steps": []map[string]any{{"map": map[string]string{"twice": "n * 2"}}},
		"pipeline.on_error.default": "dead_letter", "dead_letter.topic": dead,
	}))
	s.Until(t, "the group to catch up", f.caughtUp)
	s.Terminate(t)

	var values []string
	for _, r := range f.topic(t, f.output) {
		values = append(values, string(r.Value))
	}
	if want := []string{`{"twice":2}`, `{"twice":8}`}; !slices.Equal(values, want) {
		t.Errorf("delivered %q, want %q", values, want)
	}
	letters := f.topic(t, dead)
	if len(letters) != 2 {
		t.Fatalf("%d dead letters, want 2", len(letters))
	}
	first, second := letters[0], letters[1]
	if string(first.Key) != "b" || string(first.Value) != "\x00not JSON\xff" || first.Headers[0].Key != "trace" || first.Headers[1].Value != nil {
		t.Errorf("the first dead letter is not the record as it came: %q %q %v", first.Key, first.Value, first.Headers)
	}
	if second.Key != nil || string(second.Value) != `{"n":"secret"}` {
		t.Errorf("the second dead letter is %q %q", second.Key, second.Value)
	}
	for name, want := range map[string][2]string{
		"streamer-source-topic": {f.Topic, f.Topic}, "streamer-source-partition": {"0", "0"}, "streamer-source-offset": {"1", "2"},
		"streamer-error-class": {"decode", "evaluate"}, "streamer-error-step": {"decode", "steps[0].map.twice"},
		"streamer-error-reason": {"invalid JSON at byte 0: no value starts with this character", "column 3: invalid operation: string * int"},
		"streamer-pipeline":     {f.group, f.group},
	} {
		if got := [2]string{header(first, name), header(second, name)}; got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if strings.Contains(s.Stderr.String(), "secret") {
		t.Error("the log holds a record's payload")
	}
}

// TestDeadLetterTopicRefuses has a dead-letter topic that takes no record: its limit is below any. Nothing may be committed
// over a dead letter that is not written.
func TestDeadLetterTopicRefuses(t *testing.T) {
	t.Parallel()
	f := newFlow(t, 1)
	dead := f.broker.Topic(t, "dead", 1, map[string]string{"max.message.bytes": "10"})
	f.send(t, &kgo.Record{Value: []byte(`{"n":1}`)}, &kgo.Record{Value: []byte("{")})
	s := binary.Start(t, f.config().With(service.Config{
		"pipeline.decode": "json", "pipeline.encode": "json", "pipeline.on_error.default": "dead_letter", "dead_letter.topic": dead,
	}))
	if code := s.Exit(t); code != 1 {
		t.Fatalf("exit code %d, want 1", code)
	}
	committed, err := ledger.Committed(t.Context(), f.admin, f.group, f.Topic)
	if err != nil {
		t.Fatal(err)
	}
	if committed[0] > 1 {
		t.Errorf("committed %d, over a dead letter that was not written", committed[0])
	}
	if log := s.Stderr.String(); !strings.Contains(log, "write dead letters") || !strings.Contains(log, "dead_letter.max_message_bytes") {
		t.Errorf("the log does not say what is wrong:\n%s", log)
	}
}

// TestTooLargeRecordIsDeadLettered has records that the sink's topic refuses for their size. They must arrive in the
// dead-letter topic as they came, though the pipeline had let go of them, and their neighbours in order and once.
func TestTooLargeRecordIsDeadLettered(t *testing.T) {
	t.Parallel()
	f := newFlow(t, 1)
	dead := f.broker.Topic(t, "dead", 1, nil)
	f.broker.Configure(t, map[string]string{"max.message.bytes": "2000"}, f.output)
	large := func(n int) string { return fmt.Sprintf(`{"n":%d,"pad":%q}`, n, strings.Repeat("x", 500)) }
	for n := range 20 {
		value := fmt.Sprintf(`{"n":%d,"pad":""}`, n)
		if n%7 == 3 {
			value = large(n)
		}
		f.send(t, &kgo.Record{Key: []byte("k"), Value: []byte(value)})
	}
	s := binary.Start(t, f.config().With(service.Config{
		"pipeline.decode": "json", "pipeline.encode": "json", "sink.kafka.compression": "none",
		"pipeline.steps":              []map[string]any{{"map": map[string]string{"n": "n", "pad": "repeat(pad, 10)"}}},
		"pipeline.on_error.too_large": "dead_letter", "dead_letter.topic": dead,
	}))
	s.Until(t, "the group to catch up", f.caughtUp)
	s.Terminate(t)

	var delivered []int
	for _, r := range f.topic(t, f.output) {
		var value struct {
			N int `json:"n"`
		}
		if err := json.Unmarshal(r.Value, &value); err != nil {
			t.Fatal(err)
		}
		delivered = append(delivered, value.N)
	}
	if want := []int{0, 1, 2, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 18, 19}; !slices.Equal(delivered, want) {
		t.Errorf("delivered %v, want %v", delivered, want)
	}
	letters := f.topic(t, dead)
	if len(letters) != 3 {
		t.Fatalf("%d dead letters, want 3", len(letters))
	}
	for i, n := range []int{3, 10, 17} {
		if string(letters[i].Value) != large(n) || string(letters[i].Key) != "k" || header(letters[i], "streamer-error-class") != "too_large" {
			t.Errorf("dead letter %d is %q %.30q %v", i, letters[i].Key, letters[i].Value, letters[i].Headers)
		}
	}
}

// TestCircuitBreaker feeds a topic in which nothing is what the pipeline expects. It would catch a service that
// dead-letters all of it.
func TestCircuitBreaker(t *testing.T) {
	t.Parallel()
	f := newFlow(t, 1)
	f.fill(t, 5_000)
	s := binary.Start(t, f.config().With(service.Config{
		"pipeline.decode": "json", "pipeline.on_error.default": "skip", "pipeline.steps": []map[string]any{{"filter": "run > 3"}},
		"block.max_records": 100, "batch.max_bytes": "1B", "batch.interval": "1ms",
		"pipeline.circuit_breaker.batches": 3, "pipeline.circuit_breaker.min_records": 100,
	}))
	if code := s.Exit(t); code != 1 {
		t.Fatalf("exit code %d, want 1", code)
	}
	if log := s.Stderr.String(); !strings.Contains(log, "pipeline.circuit_breaker.percent") || !strings.Contains(log, "invalid operation: string > int") {
		t.Errorf("the log does not say why:\n%s", log)
	}
}

// TestRouting sends records to topics of their own, with keys, partitions and headers by expression.
func TestRouting(t *testing.T) {
	t.Parallel()
	f := newFlow(t, 1)
	other := f.broker.Topic(t, "other", 3, nil)
	f.send(t,
		&kgo.Record{Value: []byte(fmt.Sprintf(`{"to":%q,"part":2,"user":"ann"}`, other))},
		&kgo.Record{Value: []byte(`{"user":"bob"}`)},
		&kgo.Record{Value: []byte(`{"to":"nowhere","user":"eve"}`)},
		&kgo.Record{Value: []byte(fmt.Sprintf(`{"to":%q,"part":7,"user":"dan"}`, other))},
	)
	s := binary.Start(t, f.config().With(service.Config{
		"pipeline.decode": "json", "pipeline.on_error.default": "skip",
		"pipeline.route": map[string]any{
			"topic": "to", "partition": "part", "key": "user", "headers": map[string]string{"from": "meta.topic"},
		},
		"sink.kafka.topics": []string{other},
	}))
	s.Until(t, "the group to catch up", f.caughtUp)
	s.UntilStatus(t, "the refused records to be counted", func(status *service.Status) error {
		if status.Totals.Skipped != 2 {
			return fmt.Errorf("%d skipped", status.Totals.Skipped)
		}
		return nil
	})
	s.Terminate(t)
	routed, own := f.topic(t, other), f.topic(t, f.output)
	if len(routed) != 1 || routed[0].Partition != 2 || string(routed[0].Key) != "ann" || header(routed[0], "from") != f.Topic {
		t.Errorf("routed %v", routed)
	}
	if len(own) != 1 || string(own[0].Key) != "bob" {
		t.Errorf("delivered to the sink's own topic: %v", own)
	}
}

// TestReduceByKey counts and sums over two partitions, with a reference table, through a restart. Folded over all batches
// the rows must come to what went in, and their spans must cover every offset once.
func TestReduceByKey(t *testing.T) {
	t.Parallel()
	const partitions, each, campaigns = 2, 20_000, 10
	f := newFlow(t, partitions)
	f.fill(t, ledger.Each(partitions, each/2)...)
	var table strings.Builder
	table.WriteString("seq,campaign\n")
	for i := range 100 {
		fmt.Fprintf(&table, "%d,c%d\n", i, i%campaigns)
	}
	file := filepath.Join(t.TempDir(), "campaigns.csv")
	if err := os.WriteFile(file, []byte(table.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	config := f.config().With(service.Config{
		"pipeline.decode": "json", "pipeline.encode": "json", "block.max_records": 500, "batch.interval": "20ms",
		"pipeline.steps": []map[string]any{
			{"join": map[string]string{"file": file, "key": "seq", "on": "seq % 100", "as": "ad"}},
			{"key_by": "ad.campaign"},
			{"reduce_by_key": map[string]string{"n": "count()", "total": "sum(seq)", "least": "min(seq)", "most": "max(seq)"}},
		},
	})
	s := binary.Start(t, config)
	s.UntilStatus(t, "a batch", func(status *service.Status) error {
		if status.Totals.Batches == 0 {
			return errNoBatch
		}
		return nil
	})
	s.Terminate(t)
	f.fill(t, ledger.Each(partitions, each/2)...)
	s = binary.Start(t, config)
	s.Until(t, "the group to catch up", f.caughtUp)
	s.Terminate(t)
	checkRows(t, f.topic(t, f.output), partitions, each, campaigns)
}

var errNoBatch = errors.New("no batch yet")

type row struct {
	Key   string `json:"key"`
	N     int    `json:"n"`
	Total int    `json:"total"`
	Least int    `json:"least"`
	Most  int    `json:"most"`
}

func checkRows(t *testing.T, rows []*kgo.Record, partitions, each, campaigns int) {
	t.Helper()
	type span struct{ first, next int64 }
	sums, spans := map[string]row{}, map[string]map[span]bool{}
	for _, r := range rows {
		var one row
		if err := json.Unmarshal(r.Value, &one); err != nil || one.Key != string(r.Key) {
			t.Fatalf("row %s %s: %v", r.Key, r.Value, err)
		}
		sum, seen := sums[one.Key]
		if !seen {
			sum.Least = one.Least
		}
		sums[one.Key] = row{
			N: sum.N + one.N, Total: sum.Total + one.Total, Least: min(sum.Least, one.Least), Most: max(sum.Most, one.Most),
		}
		var of map[string]map[string][2]int64
		if err := json.Unmarshal([]byte(header(r, "streamer-spans")), &of); err != nil || header(r, "streamer-batch") == "" {
			t.Fatalf("headers %v: %v", r.Headers, err)
		}
		for _, partitions := range of {
			for partition, s := range partitions {
				if spans[partition] == nil {
					spans[partition] = map[span]bool{}
				}
				spans[partition][span{s[0], s[1]}] = true
			}
		}
	}
	for c := range campaigns {
		n := partitions * each / campaigns
		last := each - campaigns + c
		want := row{N: n, Total: n * (c + last) / 2, Least: c, Most: last}
		if got := sums[fmt.Sprintf("c%d", c)]; got != want {
			t.Errorf("campaign %d: %+v, want %+v", c, got, want)
		}
	}
	for partition, of := range spans {
		next := int64(0)
		for _, s := range slices.SortedFunc(maps.Keys(of), func(a, b span) int { return int(a.first - b.first) }) {
			if s.first != next {
				t.Errorf("partition %s: a span begins at %d, the one before ends at %d", partition, s.first, next)
			}
			next = s.next
		}
		if next != int64(each) {
			t.Errorf("partition %s: the spans end at %d, want %d", partition, next, each)
		}
	}
	if len(spans) != partitions {
		t.Errorf("%d partitions in the spans", len(spans))
	}
}
