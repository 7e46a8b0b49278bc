package kafka_test

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"

	"streamer/internal/kafka"
)

// movable is a stopped group at 3 of 10 on partition 0, and without a commit on partition 1.
func movable(t *testing.T) (world, kafka.SourceConfig) {
	t.Helper()
	w := newWorld(t, kfake.SeedTopics(2, "events"))
	produce(t, w.config, "events", 0, 10)
	produce(t, w.config, "events", 1, 5)
	s := source("group", "events")
	w.commit(t, s.Group, "events", map[int32]int64{0: 3})
	return w, s
}

func TestSetOffsets(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		to      string
		targets []string
		want    map[int32]int64
	}{
		"latest":        {"latest", []string{"events"}, map[int32]int64{0: 10, 1: 5}},
		"one partition": {"earliest", []string{"events/0"}, map[int32]int64{0: 0}},
		"offset":        {"7", []string{"events"}, map[int32]int64{0: 7, 1: 5}},
		"time":          {"2026-01-01T00:00:02Z", []string{"events/1", "events/1"}, map[int32]int64{0: 3, 1: 2}},
		"back":          {"-59m56s", []string{"events/0", "events"}, map[int32]int64{0: 4, 1: 4}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, s := movable(t)
			to, err := kafka.ParseTarget(test.to)
			if err != nil {
				t.Fatal(err)
			}
			dry, err := w.admin.SetOffsets(testContext(t), s.Group, test.targets, to, false, clock())
			if err != nil || dry.Executed {
				t.Fatalf("dry: %+v, %v", dry, err)
			}
			if got := w.committed(t, s); !maps.Equal(got, map[int32]int64{0: 3}) {
				t.Fatalf("a dry run moved commits to %v", got)
			}
			done, err := w.admin.SetOffsets(testContext(t), s.Group, test.targets, to, true, clock())
			if err != nil || !done.Executed || len(done.Moves) != len(dry.Moves) {
				t.Fatalf("execute: %+v, %v", done, err)
			}
			if got := w.committed(t, s); !maps.Equal(got, test.want) {
				t.Errorf("committed %v, want %v", got, test.want)
			}
		})
	}
}

func TestSetOffsetsSaysWhatItDoes(t *testing.T) {
	t.Parallel()
	w, s := movable(t)
	to, err := kafka.ParseTarget("7")
	if err != nil {
		t.Fatal(err)
	}
	move, err := w.admin.SetOffsets(testContext(t), s.Group, []string{"events"}, to, false, clock())
	if err != nil {
		t.Fatal(err)
	}
	want := []kafka.PartitionMove{
		{Topic: "events", Partition: 0, From: 3, To: 7},
		{Topic: "events", Partition: 1, From: -1, To: 5, Note: "7 is outside of the log; nearest offset taken"},
	}
	for i := range want {
		if move.Moves[i] != want[i] {
			t.Errorf("move %d = %+v, want %+v", i, move.Moves[i], want[i])
		}
	}
}

func TestSetOffsetsRefusesBadTargets(t *testing.T) {
	t.Parallel()
	w, s := movable(t)
	to, _ := kafka.ParseTarget("latest")
	for target, want := range map[string]string{
		"":          "target: is missing",
		"events/2":  `"events/2" is no partition; topic events has partitions 0 to 1`,
		"events/x":  `"events/x" is no partition`,
		"events/-1": `"events/-1" is no partition`,
		"nothing":   "no such topic: nothing",
		"a b/1":     `target: "a b/1" is not TOPIC or TOPIC/PARTITION; write for example`,
	} {
		targets := []string{target}
		if target == "" {
			targets = nil
		}
		if _, err := w.admin.SetOffsets(testContext(t), s.Group, targets, to, true, clock()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", target, err, want)
		}
	}
}

func TestSkipRecord(t *testing.T) {
	t.Parallel()
	for record, test := range map[string]struct {
		want int64
		text string // of the error or the note
	}{
		"events/0@3":  {4, "skips offset 3"},
		"events/0@5":  {3, `is behind the group's commit, 3: skipping it would pass over 2 offsets that were never delivered`},
		"events/0@9":  {3, `is behind the group's commit, 3: skipping it would pass over 6 offsets`},
		"events/0@2":  {3, `record: "events/0@2" is passed already, the group's commit is 3`},
		"events/0@10": {3, `is not in the log, which ends at 10`},
		"events/1@0":  {0, `is in a partition of which the group has no commit`},
		"events/7@0":  {0, `"events/7" is no partition`},
		"events@3":    {0, `is not TOPIC/PARTITION@OFFSET`},
		"events/0":    {0, `is not TOPIC/PARTITION@OFFSET`},
		"events/0@-1": {0, `is not TOPIC/PARTITION@OFFSET`},
		"/0@1":        {0, `is not TOPIC/PARTITION@OFFSET`},
	} {
		t.Run(record, func(t *testing.T) {
			t.Parallel()
			w, s := movable(t)
			if _, err := w.admin.SkipRecord(testContext(t), s.Group, record, false); err == nil {
				if got := w.committed(t, s)[0]; got != 3 {
					t.Fatalf("a dry run moved the commit to %d", got)
				}
			}
			move, err := w.admin.SkipRecord(testContext(t), s.Group, record, true)
			var text string
			if err != nil {
				text = err.Error()
			} else {
				text = move.Moves[0].Note
			}
			if !strings.Contains(text, test.text) {
				t.Errorf("%s\nwant %s", text, test.text)
			}
			if got := w.committed(t, s)[0]; test.want > 0 && got != test.want {
				t.Errorf("committed %d, want %d", got, test.want)
			}
		})
	}
}

func TestMovesAreRefusedWhileTheGroupLives(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{kafka.ProtocolClassic, kafka.ProtocolConsumer} {
		w, s := movable(t)
		s.GroupProtocol = protocol
		join(t, w.config, s)
		to, _ := kafka.ParseTarget("latest")
		_, err := w.admin.SetOffsets(testContext(t), s.Group, []string{"events"}, to, true, clock())
		live, ok := errors.AsType[*kafka.LiveGroupError](err)
		if !ok || !errors.Is(err, kafka.ErrGroupLive) || len(live.Group.Members) != 1 || !strings.Contains(err.Error(), "streamer on ") {
			t.Errorf("%s: set: %v", protocol, err)
		}
		if _, err := w.admin.SkipRecord(testContext(t), s.Group, "events/0@3", true); !errors.Is(err, kafka.ErrGroupLive) {
			t.Errorf("%s: skip: %v", protocol, err)
		}
		if got := w.committed(t, s)[0]; got != 3 {
			t.Errorf("%s: committed %d", protocol, got)
		}
	}
}

func TestGroupOffsets(t *testing.T) {
	t.Parallel()
	w, s := movable(t)
	if _, err := kadm.NewClient(newClient(t, w.config)).CreateTopic(testContext(t), 1, 1, nil, "gone"); err != nil {
		t.Fatal(err)
	}
	w.commit(t, s.Group, "gone", map[int32]int64{0: 4})
	want := []kafka.PartitionOffset{
		{Topic: "events", Partition: 0, Committed: 3, Start: 0, End: 10, Lag: 7},
		{Topic: "events", Partition: 1, Committed: -1, Start: 0, End: 5, Lag: 5},
		{Topic: "gone", Partition: 0, Committed: 4, Start: 0, End: 0, Lag: 0},
	}
	wantGroupOffsets(t, w, want)
	wantGroupOffsets(t, w, want[:2], "events")
	wantGroupOffsets(t, w, want[1:2], "events/1")
	nobody, err := w.admin.GroupOffsets(testContext(t), "nobody")
	if err != nil || nobody.Group.Exists() || nobody.Group.Members == nil || len(nobody.Partitions) != 0 {
		t.Errorf("a group that was never used: %+v, %v", nobody, err)
	}
}

func wantGroupOffsets(t *testing.T, w world, want []kafka.PartitionOffset, topics ...string) {
	t.Helper()
	got, err := w.admin.GroupOffsets(testContext(t), "group", topics...)
	if err != nil || got.Group.Live() || len(got.Partitions) != len(want) {
		t.Fatalf("%+v, %v", got, err)
	}
	for i := range want {
		if got.Partitions[i] != want[i] {
			t.Errorf("row %d = %+v, want %+v", i, got.Partitions[i], want[i])
		}
	}
}
