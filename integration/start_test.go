package integration_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"streamer/integration/eventually"
	"streamer/integration/kafkatest"
	"streamer/integration/ledger"
	"streamer/integration/service"
)

// TestStartLatest begins at the end of a topic. Before the first record comes there are a crash, a partition that moves
// to another replica, and a partition that is added. It would catch a start that is applied again at each assignment:
// what came since the first would be lost.
func TestStartLatest(t *testing.T) {
	t.Parallel()
	f := newFlow(t, 3)
	f.fill(t, 1_000, 1_000, 0) // before the first start: not wanted
	old, err := f.ends(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	config := f.config().With(service.Config{"source.kafka.start": "latest"})
	first := binary.Start(t, config)
	first.Ready(t)
	first.Crash(t)
	f.fill(t, 100, 0, 0) // while nobody is there

	first = binary.Start(t, config)
	first.Ready(t)
	second := binary.Start(t, config)
	eventually.Holds(t, service.Patience, "the partitions to be shared", func(ctx context.Context) error {
		return ownSome(ctx, first, second)
	})
	second.Crash(t)
	f.fill(t, 0, 100, 100) // for partitions that have lost their owner

	const added = 2
	client := f.broker.Admin(t)
	if _, err := client.CreatePartitions(t.Context(), added, f.Topic); err != nil {
		t.Fatal(err)
	}
	if _, err := client.CreatePartitions(t.Context(), added, f.output); err != nil {
		t.Fatal(err)
	}
	f.Grow(3 + added)
	f.broker.UntilPartitions(t, f.Topic, 3+added)
	// A fresh client: the old one learns of the partitions only at its next look.
	f.reopen(t)
	f.fill(t, 10, 10, 10, 100, 100)

	first.Until(t, "the group to catch up", f.caughtUp)
	first.Terminate(t)
	l := f.read(t)
	l.Keep(func(id ledger.ID) bool { return id.Seq >= old[id.Partition] })
	if err := l.Check().AtLeastOnce(); err != nil {
		t.Error(err)
	}
}

func ownSome(ctx context.Context, replicas ...*service.Service) error {
	for i, s := range replicas {
		status, err := s.Look(ctx)
		if err != nil {
			return err
		}
		if len(status.Partitions) == 0 {
			return fmt.Errorf("replica %d owns nothing", i+1)
		}
	}
	return nil
}

// TestStartIgnored would catch a start that is applied to partitions with commits, or ignored in silence.
func TestStartIgnored(t *testing.T) {
	t.Parallel()
	f := newFlow(t, 2)
	f.fill(t, 500, 500)
	s := binary.Start(t, f.config())
	s.Until(t, "the group to catch up", f.caughtUp)
	s.Terminate(t)
	f.fill(t, 500, 500)
	s = binary.Start(t, f.config().With(service.Config{"source.kafka.start": "latest"}))
	s.Until(t, "the group to catch up", f.caughtUp)
	s.Terminate(t)
	f.exactlyOnce(t)
	if want := "start ignored: 2 of 2 partitions have commits"; !strings.Contains(s.Stderr.String(), want) {
		t.Errorf("the log does not say %q", want)
	}
}

// TestTopicPattern would catch a pattern that misses a topic, or one that is created later.
func TestTopicPattern(t *testing.T) {
	t.Parallel()
	f := newFlow(t, 2)
	prefix := kafkatest.Unique("pattern")
	create := func(name string) *flow {
		input := prefix + name
		f.broker.CreateTopic(t, input, 2, nil)
		other := newFlowFrom(t, f.broker, input, 2)
		other.output, other.group = f.output, f.group
		return other
	}
	early := create(".early")
	s := binary.Start(t, f.config().With(service.Config{
		"source.kafka.topics": nil, "source.kafka.topic_pattern": "^" + prefix + `\..*`,
	}))
	early.fill(t, 100, 100)
	s.Until(t, "the group to catch up", early.caughtUp)
	late := create(".late")
	late.fill(t, 100, 100)
	s.Until(t, "the group to catch up with the topic that came later", late.caughtUp)
	s.Terminate(t)
	early.exactlyOnce(t)
	late.exactlyOnce(t)
}
