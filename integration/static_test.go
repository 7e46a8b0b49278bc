package integration_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"streamer/integration/service"
)

// TestStaticMember would catch an instance_id that is not sent: a killed member that comes back would be a third one, and
// its partitions would wait for the session of the dead one to end.
func TestStaticMember(t *testing.T) {
	t.Parallel()
	needKafka(t, "static members that come back")
	f := newFlow(t, 4)
	named := func(name string) service.Config {
		return f.config().With(service.Config{
			"source.kafka.instance_id": name, "source.kafka.session_timeout": "5m",
		})
	}
	stop := f.stream(t, 10)
	replicas := []*service.Service{binary.Start(t, named("one")), binary.Start(t, named("two"))}
	shared(t, f, replicas)
	f.progressed(t, replicas[0], 500)

	replicas[0].Crash(t)
	replicas[0] = binary.Start(t, named("one"))
	shared(t, f, replicas)
	f.hasInstances(t, "one", "two")

	// The broker lets the newer of two with the same name win; the other must say so, and not fight for its place.
	again := binary.Start(t, named("one"))
	if code := replicas[0].Exit(t); code != 1 {
		t.Errorf("the older member of the same name ended with %d, want 1", code)
	}
	if log := replicas[0].Stderr.Last(5); !strings.Contains(log, "instance_id") {
		t.Errorf("the older member does not name instance_id: %s", log)
	}
	replicas[0] = again
	shared(t, f, replicas)

	stop()
	again.Until(t, "the group to catch up", f.caughtUp)
	for _, replica := range replicas {
		replica.Terminate(t)
	}
	f.atLeastOnce(t)
}

// TestStaticMemberAfterACrash is the same by KIP-848, whose broker does not let a member in while the session of one with its
// name goes on. It would catch a service that ends then, and is started again and ends again until that session is over.
func TestStaticMemberAfterACrash(t *testing.T) {
	t.Parallel()
	needKafka(t, "static members of KIP-848")
	f := newFlow(t, 4)
	config := f.config().With(service.Config{
		"source.kafka.instance_id": "one", "source.kafka.group_protocol": "consumer", "source.kafka.session_timeout": nil,
	})
	stop := f.stream(t, 10)
	s := binary.Start(t, config)
	f.progressed(t, s, 500)
	s.Crash(t)
	s = binary.Start(t, config)
	if line, err := s.Stderr.WaitLine(t.Context(), "joining when its session ends"); err != nil {
		t.Errorf("the log does not say what it waits for: %q, %v", line, err)
	}
	f.progressed(t, s, 500)
	stop()
	s.Until(t, "the group to catch up", f.caughtUp)
	s.Terminate(t)
	f.atLeastOnce(t)
}

// hasInstances checks that the group has exactly these members.
func (f *flow) hasInstances(t *testing.T, want ...string) {
	t.Helper()
	have := f.members(t)
	slices.Sort(have)
	if !slices.Equal(have, want) {
		t.Errorf("the group's members are %v, want %v", have, want)
	}
}

// members are the instance ids of the group's members; "" for one that is not static.
func (f *flow) members(t *testing.T) []string {
	t.Helper()
	groups, err := f.admin.DescribeGroups(context.WithoutCancel(t.Context()), f.group)
	if err == nil {
		err = groups.Error()
	}
	if err != nil {
		t.Fatal(fmt.Errorf("describe group: %w", err))
	}
	var ids []string
	for _, member := range groups[f.group].Members {
		id := ""
		if member.InstanceID != nil {
			id = *member.InstanceID
		}
		ids = append(ids, id)
	}
	return ids
}
