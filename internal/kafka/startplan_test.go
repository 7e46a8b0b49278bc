package kafka_test

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"streamer/internal/kafka"
)

// world is a cluster with an admin and the clock of the tests.
type world struct {
	cluster *kfake.Cluster
	config  kafka.Config
	admin   *kafka.Admin
}

func newWorld(t *testing.T, opts ...kfake.Opt) world {
	t.Helper()
	cluster, config := newCluster(t, opts...)
	return world{cluster, config, newAdmin(t, config)}
}

// clock is an hour after the first record that produce writes.
func clock() time.Time { return time.Date(2026, 1, 1, 1, 0, 0, 0, time.UTC) }

func (w world) prepare(t *testing.T, s kafka.SourceConfig) *kafka.StartPlan {
	t.Helper()
	plan, err := w.admin.PrepareStart(testContext(t), s, w.partitions(t, s), clock())
	if err != nil {
		t.Fatalf("prepare start: %v", err)
	}
	return plan
}

func (w world) partitions(t *testing.T, s kafka.SourceConfig) kafka.Partitions {
	t.Helper()
	partitions, err := w.admin.SourcePartitions(testContext(t), s)
	if err != nil {
		t.Fatal(err)
	}
	return partitions
}

func (w world) committed(t *testing.T, s kafka.SourceConfig) map[int32]int64 {
	t.Helper()
	committed, err := w.admin.Committed(testContext(t), s.Group, w.partitions(t, s))
	if err != nil {
		t.Fatal(err)
	}
	return committed[s.Topics[0]]
}

func (w world) addPartitions(t *testing.T, topic string, count int) {
	t.Helper()
	if _, err := kadm.NewClient(newClient(t, w.config)).UpdatePartitions(testContext(t), count, topic); err != nil {
		t.Fatal(err)
	}
}

func (w world) commit(t *testing.T, group, topic string, offsets map[int32]int64) {
	t.Helper()
	commits := kadm.Offsets{}
	for partition, offset := range offsets {
		commits.AddOffset(topic, partition, offset, -1)
	}
	if err := kadm.NewClient(newClient(t, w.config)).CommitAllOffsets(testContext(t), group, commits); err != nil {
		t.Fatal(err)
	}
}

func TestStartIsCommittedOnce(t *testing.T) {
	t.Parallel()
	for start, want := range map[string]map[int32]int64{
		"earliest":             {0: 2, 1: 0},
		"latest":               {0: 10, 1: 0},
		"2026-01-01T00:00:04Z": {0: 4, 1: 0},
		"2026-01-01T00:00:01Z": {0: 2, 1: 0}, // deleted already: the log start
		"2027-01-01T00:00:00Z": {0: 10, 1: 0},
		"-59m54s":              {0: 6, 1: 0},
	} {
		t.Run(start, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, kfake.SeedTopics(2, "events"))
			produce(t, w.config, "events", 0, 10)
			deleteRecords(t, w.config, "events", 2)
			s := source("group", "events")
			s.Start = start
			plan := w.prepare(t, s)
			if got := w.committed(t, s); !maps.Equal(got, want) {
				t.Errorf("committed %v, want %v", got, want)
			}
			if plan.Notice() != "" {
				t.Errorf("notice = %q", plan.Notice())
			}
			// What is produced now belongs to the group: another start must not move it.
			produce(t, w.config, "events", 0, 5)
			s.Start = "latest"
			if got, want := w.prepare(t, s).Notice(), "start ignored: 2 of 2 partitions have commits (source.kafka.start: latest)"; got != want {
				t.Errorf("notice = %q, want %q", got, want)
			}
			if got := w.committed(t, s); !maps.Equal(got, want) {
				t.Errorf("the second start moved commits to %v", got)
			}
			notice, err := w.admin.StartNotice(testContext(t), s, w.partitions(t, s))
			if err != nil || notice == "" {
				t.Errorf("StartNotice = %q, %v", notice, err)
			}
		})
	}
}

// A partition that a known topic gets later begins at its beginning, whatever start says.
func TestAddedPartitionBeginsAtItsBeginning(t *testing.T) {
	t.Parallel()
	w := newWorld(t, kfake.SeedTopics(1, "events"))
	s := source("group", "events")
	s.Start = "latest"
	w.prepare(t, s)
	w.addPartitions(t, "events", 2)
	produce(t, w.config, "events", 1, 3)
	plan := w.prepare(t, s) // a restart
	if got := w.committed(t, s); len(got) != 1 {
		t.Fatalf("the restart committed %v", got)
	}
	wantResolved(t, plan, map[string][]int32{"events": {1}}, kafka.Offsets{"events": {1: 0}})
}

// While others run, start holds for the partitions that a new topic has now, and for no later one.
func TestStartBesideLiveMembers(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{kafka.ProtocolClassic, kafka.ProtocolConsumer} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, kfake.SeedTopics(1, "events", "clicks"))
			old := source("group", "events")
			old.GroupProtocol = protocol
			w.prepare(t, old)
			join(t, w.config, old)

			s := source("group", "events", "clicks")
			s.GroupProtocol, s.Start = protocol, "latest"
			produce(t, w.config, "clicks", 0, 4)
			plan := w.prepare(t, s)
			if got, want := plan.Notice(), "start ignored: 1 of 2 partitions have commits (source.kafka.start: latest)"; got != want {
				t.Errorf("notice = %q, want %q", got, want)
			}
			produce(t, w.config, "clicks", 0, 4) // after this process began: must not be lost
			w.addPartitions(t, "clicks", 2)
			w.addPartitions(t, "events", 2)
			produce(t, w.config, "clicks", 1, 3)
			wantResolved(t, plan, map[string][]int32{"clicks": {0, 1}, "events": {1}},
				kafka.Offsets{"clicks": {0: 4, 1: 0}, "events": {1: 0}})
		})
	}
}

func wantResolved(t *testing.T, plan *kafka.StartPlan, uncommitted map[string][]int32, want kafka.Offsets) {
	t.Helper()
	got, err := plan.Resolve(testContext(t), uncommitted)
	if err != nil || !maps.EqualFunc(got, want, maps.Equal) {
		t.Errorf("resolved %v, %v; want %v", got, err, want)
	}
}

// The offsets are looked up before the commits. In the other order a member that joins, reads, commits and dies between
// the two would be set forward to a `latest` of after that, past records that it had promised.
func TestStartIsResolvedBeforeCommitsAreRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, kfake.SeedTopics(1, "events"))
	s := source("group", "events")
	s.Start = "latest"
	other := newClient(t, w.config)
	var produced error
	w.cluster.ControlKey(int16(kmsg.OffsetFetch), func(kmsg.Request) (kmsg.Response, error, bool) {
		w.cluster.DropControl()
		w.cluster.SleepControl(func() {
			produced = other.ProduceSync(context.Background(), &kgo.Record{Topic: "events"}).FirstErr()
		})
		return nil, nil, false
	})
	w.prepare(t, s)
	if got := w.committed(t, s)[0]; got != 0 || produced != nil {
		t.Errorf("committed %d, want 0: the record that came with the look-up of commits is skipped (%v)", got, produced)
	}
}

func TestPrepareStartReportsACommitThatFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, kfake.SeedTopics(1, "events"))
	ctx, cancel := context.WithCancel(testContext(t))
	cancel()
	s := source("group", "events")
	if _, err := w.admin.PrepareStart(ctx, s, kafka.Partitions{"events": {0}}, clock()); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
}
