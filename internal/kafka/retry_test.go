package kafka_test

import (
	"errors"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"streamer/internal/kafka"
)

// A coordinator that is not there yet, and a leader that is being elected, are waited for.
func TestLookupsOutlastPassingCodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, kfake.SeedTopics(1, "events"))
	produce(t, w.config, "events", 0, 3)
	s := source("group", "events")
	partitions := w.partitions(t, s)
	for key, code := range map[kmsg.Key]*kerr.Error{
		kmsg.OffsetFetch: kerr.CoordinatorNotAvailable, kmsg.OffsetCommit: kerr.CoordinatorLoadInProgress,
		kmsg.ListOffsets: kerr.LeaderNotAvailable, kmsg.DescribeGroups: kerr.CoordinatorNotAvailable,
	} {
		w.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Err: code, Count: 2})
	}
	if _, err := w.admin.PrepareStart(testContext(t), s, partitions, clock()); err != nil {
		t.Errorf("prepare start: %v", err)
	}
	if _, err := w.admin.GroupOffsets(testContext(t), s.Group); err != nil {
		t.Errorf("list offsets: %v", err)
	}
}

// What does not pass is an error at once.
func TestLookupsReportWhatDoesNotPass(t *testing.T) {
	t.Parallel()
	w := newWorld(t, kfake.SeedTopics(1, "events"))
	s := source("group", "events")
	partitions := w.partitions(t, s)
	w.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.TopicAuthorizationFailed})
	if _, err := w.admin.PrepareStart(testContext(t), s, partitions, clock()); !errors.Is(err, kerr.TopicAuthorizationFailed) {
		t.Errorf("err = %v", err)
	}
	if _, err := w.admin.Starts(testContext(t), kafka.Partitions{"events": {7}}); err == nil {
		t.Error("a partition that does not exist has a log start")
	}
}
