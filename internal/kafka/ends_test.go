package kafka_test

import (
	"errors"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/kafka"
)

func bounded(until string) kafka.SourceConfig {
	s := source("group", "events")
	s.Until = until
	return s
}

func (w world) ends(t *testing.T, s kafka.SourceConfig) *kafka.Ends {
	t.Helper()
	ends, err := w.admin.CaptureEnds(testContext(t), s, w.partitions(t, s), clock())
	if err != nil {
		t.Fatalf("capture ends: %v", err)
	}
	return ends
}

func TestEndsAreReachedByTheGroup(t *testing.T) {
	t.Parallel()
	w := newWorld(t, kfake.SeedTopics(3, "events"))
	produce(t, w.config, "events", 0, 10)
	produce(t, w.config, "events", 1, 4)
	s := bounded("latest")
	ends := w.ends(t, s)
	produce(t, w.config, "events", 0, 5) // past the end: not waited for
	for _, step := range []struct {
		commit map[int32]int64
		done   bool
	}{
		{nil, false},
		{map[int32]int64{0: 9, 1: 4}, false},
		{map[int32]int64{0: 10}, true}, // partition 2 is empty and has no commit
		{map[int32]int64{0: 12}, true},
	} {
		w.commit(t, s.Group, "events", step.commit)
		done, report, err := ends.Reached(testContext(t), s.Group)
		if err != nil || done != step.done || len(report) != 3 {
			t.Fatalf("after %v: %t, %+v, %v", step.commit, done, report, err)
		}
	}
	if _, known := ends.End("events", 3); known {
		t.Error("a partition that was not there at the start has an end")
	}
	done, report, err := ends.ReachedAt(testContext(t), kafka.Offsets{"events": {0: 10, 1: 3}})
	if want := (kafka.Progress{
		TopicPartition: kafka.TopicPartition{Topic: "events", Partition: 1}, Position: 3, End: 4,
	}); err != nil || done || report[1] != want {
		t.Errorf("direct: %t, %+v, %v", done, report[1], err)
	}
}

func TestEndByTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, kfake.SeedTopics(1, "events"))
	produce(t, w.config, "events", 0, 10)
	for until, want := range map[string]int64{
		"2026-01-01T00:00:04Z": 4, "2025-01-01T00:00:00Z": 0, "2027-01-01T00:00:00Z": 10, "latest": 10,
	} {
		if got, _ := w.ends(t, bounded(until)).End("events", 0); got != want {
			t.Errorf("until %s ends at %d, want %d", until, got, want)
		}
	}
}

// An open transaction holds the end back under read_committed: what may still be aborted is not waited for.
func TestEndStopsAtAnOpenTransaction(t *testing.T) {
	t.Parallel()
	w := newWorld(t, kfake.SeedTopics(1, "events"))
	produce(t, w.config, "events", 0, 3)
	open := newClient(t, w.config, kgo.TransactionalID("open"))
	if err := open.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := open.ProduceSync(testContext(t), &kgo.Record{Topic: "events", Value: []byte("x")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	for isolation, want := range map[string]int64{kafka.ReadCommitted: 3, kafka.ReadUncommitted: 4} {
		for _, until := range []string{"latest", "2027-01-01T00:00:00Z"} {
			s := bounded(until)
			s.Isolation = isolation
			if got, _ := w.ends(t, s).End("events", 0); got != want {
				t.Errorf("%s until %s ends at %d, want %d", isolation, until, got, want)
			}
		}
	}
	if err := open.EndTransaction(testContext(t), kgo.TryAbort); err != nil {
		t.Fatal(err)
	}
}

func TestEndThatMovedBackIsAnError(t *testing.T) {
	t.Parallel()
	w := newWorld(t, kfake.SeedTopics(1, "events"))
	produce(t, w.config, "events", 0, 10)
	ends := w.ends(t, bounded("latest"))
	admin := kadm.NewClient(newClient(t, w.config))
	if _, err := admin.DeleteTopic(testContext(t), "events"); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.CreateTopic(testContext(t), 1, 1, nil, "events"); err != nil {
		t.Fatal(err)
	}
	produce(t, w.config, "events", 0, 4)
	_, _, err := ends.ReachedAt(testContext(t), kafka.Offsets{})
	moved, ok := errors.AsType[*kafka.EndMovedError](err)
	if !ok || moved.Captured != 10 || moved.Current != 4 {
		t.Errorf("err = %v", err)
	}
}
