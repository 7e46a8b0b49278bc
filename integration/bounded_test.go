package integration_test

import (
	"maps"
	"testing"

	"streamer/integration/ledger"
	"streamer/integration/service"
)

// TestBoundedRun reads to the ends that the topic has at the start, while a producer goes on. It would catch ends that
// move with the producer, records past them that are delivered or committed, and a run that never ends because a
// partition is empty.
func TestBoundedRun(t *testing.T) {
	t.Parallel()
	f := newFlow(t, 4)
	f.fill(t, 25_000, 5_000, 1, 0) // the last is empty
	ends, err := f.ends(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := binary.Start(t, f.config().With(service.Config{
		"source.kafka.until": "latest",
		"block.max_records":  500,
		"pipeline.decode":    "json", "pipeline.steps": []map[string]any{{"filter": slowStep}},
	}))
	s.Ready(t) // the ends are taken before the group is joined
	stop := f.stream(t, 10)
	if code := s.Exit(t); code != 0 {
		t.Fatalf("exit code %d, want 0", code)
	}
	stop()

	committed, err := ledger.Committed(t.Context(), f.admin, f.group, f.Topic)
	if err != nil {
		t.Fatal(err)
	}
	for partition, end := range ends {
		if end > 0 && committed[partition] != end {
			t.Errorf("partition %d: %d committed, want the end %d", partition, committed[partition], end)
		}
	}
	l := f.read(t)
	l.Keep(func(id ledger.ID) bool { return id.Seq < ends[id.Partition] })
	if err := l.Check().ExactlyOnce(); err != nil { // a record past the end counts as a stranger
		t.Error(err)
	}

	// Once more without bounds: what came later is still there.
	s = binary.Start(t, f.config())
	s.Until(t, "the group to catch up", f.caughtUp)
	s.Terminate(t)
	f.exactlyOnce(t)
}

// TestBoundedRunOfReplicas would catch a replica that ends when its own partitions are done, or never because another
// has the rest.
func TestBoundedRunOfReplicas(t *testing.T) {
	t.Parallel()
	f := newFlow(t, 4)
	f.fill(t, ledger.Each(4, 20_000)...)
	config := f.config().With(service.Config{"source.kafka.until": "latest"})
	replicas := []*service.Service{binary.Start(t, config), binary.Start(t, config)}
	for _, s := range replicas {
		if code := s.Exit(t); code != 0 {
			t.Errorf("exit code %d, want 0", code)
		}
	}
	if err := f.caughtUp(t.Context()); err != nil {
		t.Error(err)
	}
	f.atLeastOnce(t)
}

// TestBackfillWithoutGroup runs beside a live group that has read everything. It would catch a backfill that joins the
// group, takes its partitions or moves its commits.
func TestBackfillWithoutGroup(t *testing.T) {
	t.Parallel()
	f := newFlow(t, 3)
	f.fill(t, ledger.Each(3, 10_000)...)
	live := binary.Start(t, f.config())
	live.Until(t, "the group to catch up", f.caughtUp)
	before, err := ledger.Committed(t.Context(), f.admin, f.group, f.Topic)
	if err != nil {
		t.Fatal(err)
	}
	second := f.broker.Topic(t, "backfill", 3, nil)
	backfill := binary.Start(t, f.config().With(service.Config{
		"source.kafka.group": "", "source.kafka.until": "latest", "sink.kafka.topic": second,
	}))
	if code := backfill.Exit(t); code != 0 {
		t.Fatalf("exit code %d, want 0", code)
	}
	if err := f.isMember(t.Context()); err != nil {
		t.Error(err)
	}
	after, err := ledger.Committed(t.Context(), f.admin, f.group, f.Topic)
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(before, after) {
		t.Errorf("commits went from %v to %v", before, after)
	}
	live.Terminate(t)
	f.exactlyOnce(t)
	f.output = second
	f.exactlyOnce(t)
}
