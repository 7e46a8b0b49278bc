package integration_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/integration/kafkatest"
	"streamer/integration/ledger"
	"streamer/integration/service"
)

// TestDryRun holds what a dry run shows against what the run then writes. It would catch one that commits, leaves a group, a
// topic or a record behind, says another partition than the sink takes, or begins somewhere else than the group.
func TestDryRun(t *testing.T) {
	t.Parallel()
	f := newFlow(t, 3)
	output, dead := f.broker.Topic(t, "places", 4, nil), kafkatest.Unique("dead")
	f.output = output
	records := make([]*kgo.Record, 0, 60)
	for i := range cap(records) {
		r := &kgo.Record{Partition: int32(i % 3), Key: fmt.Appendf(nil, "k%d", i), Value: fmt.Appendf(nil, `{"n":%d}`, i)}
		if i%5 == 0 {
			r.Value = []byte("{poison")
		}
		records = append(records, r)
	}
	f.send(t, records...)
	config := f.config().With(service.Config{
		"pipeline.decode": "json", "pipeline.encode": "json", "pipeline.circuit_breaker.percent": 0,
		"pipeline.steps":            []map[string]any{{"filter": "n % 2 == 0"}, {"map": map[string]string{"twice": "n * 2"}}},
		"pipeline.on_error.default": "dead_letter", "dead_letter.topic": dead,
		"dead_letter.create.partitions": 1, "dead_letter.create.replication_factor": 1,
	})
	file := service.WriteConfig(t, config)

	shown := f.dryRun(t, file, "24 records to write (24 shown), 24 filtered, 12 dead letters, 0 skipped")
	if got := f.topic(t, output); len(got) != 0 {
		t.Errorf("a dry run wrote %d records", len(got))
	}
	groups, err := f.admin.ListGroups(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, there := groups[f.group]; there {
		t.Error("a dry run left a group")
	}
	topics, err := f.admin.ListTopics(t.Context(), dead)
	if err != nil {
		t.Fatal(err)
	}
	if topics.Has(dead) {
		t.Error("a dry run created the dead-letter topic")
	}

	s := binary.Start(t, config)
	s.Until(t, "the group to catch up", f.caughtUp)
	s.Terminate(t)
	wrote := make([]string, 0, len(shown))
	for _, r := range f.topic(t, output) {
		wrote = append(wrote, fmt.Sprintf("%s/%d key %q %s", r.Topic, r.Partition, r.Key, r.Value))
	}
	slices.Sort(wrote)
	if !slices.Equal(shown, wrote) {
		t.Errorf("the dry run showed\n%s\nthe run wrote\n%s", strings.Join(shown, "\n"), strings.Join(wrote, "\n"))
	}

	f.send(t, &kgo.Record{Partition: 1, Key: []byte("later"), Value: []byte(`{"n":1000}`)})
	before, err := ledger.Committed(t.Context(), f.admin, f.group, f.Topic)
	if err != nil {
		t.Fatal(err)
	}
	if later := f.dryRun(t, file, "1 records to write (1 shown), 0 filtered, 0 dead letters"); len(later) != 1 ||
		!strings.HasSuffix(later[0], `key "later" {"twice":2000}`) {
		t.Errorf("behind the commits it shows %v", later)
	}
	after, err := ledger.Committed(t.Context(), f.admin, f.group, f.Topic)
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(before, after) {
		t.Errorf("commits went from %v to %v", before, after)
	}
	if got := f.topic(t, output); len(got) != len(wrote) {
		t.Errorf("the output has %d records, want %d", len(got), len(wrote))
	}

	live := binary.Start(t, config)
	live.Until(t, "the group to catch up", f.caughtUp)
	if got := f.dryRun(t, file, "0 records to write (0 shown)"); len(got) != 0 {
		t.Errorf("at the end of the log it shows %v", got)
	}
	if err := f.isMember(t.Context()); err != nil {
		t.Errorf("beside the live service: %v", err)
	}
	live.Terminate(t)
}

// dryRun returns what is shown, sorted: place, key and value. Where records come from is left out.
func (f *flow) dryRun(t *testing.T, file, report string) []string {
	t.Helper()
	out := binary.Command(t, "run", "-c", file, "--dry-run", "--limit", "100")
	if out.Code != 0 || !strings.Contains(out.Stderr, report) {
		t.Fatalf("exit code %d, want 0 and %q\n%s\n%s", out.Code, report, out.Stdout, out.Stderr)
	}
	var shown []string
	for line := range strings.Lines(out.Stdout) {
		line = strings.TrimSuffix(line, "\n")
		if value, found := strings.CutPrefix(line, "  "); found {
			shown[len(shown)-1] += " " + value
			if strings.Contains(out.Stderr, value) {
				t.Errorf("the log has the payload %s", value)
			}
			continue
		}
		place, from, found := strings.Cut(line, " from "+f.Topic+"/")
		if !found {
			t.Fatalf("%q does not say where the record comes from (%s)", line, from)
		}
		shown = append(shown, place)
	}
	slices.Sort(shown)
	return shown
}
