package integration_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"

	"streamer/integration/ledger"
	"streamer/integration/service"
)

// TestOffsetsCommands would catch a change that is made on a live group, or without being asked for, or to the wrong
// partition.
func TestOffsetsCommands(t *testing.T) {
	t.Parallel()
	f := newFlow(t, 2)
	f.fill(t, 1_000, 1_000)
	s := binary.Start(t, f.config())
	s.Until(t, "the group to catch up", f.caughtUp)
	set := []string{"offsets", "set", "--group", f.group, "--to=200", f.Topic + "/1", "-c", s.ConfigFile}
	if out := binary.Command(t, append(set, "--execute")...); out.Code == 0 {
		t.Errorf("the commits of a live group were changed:\n%s%s", out.Stdout, out.Stderr)
	}
	s.Terminate(t)
	if out := binary.Command(t, set...); out.Code != 0 {
		t.Errorf("a dry run ended with %d:\n%s", out.Code, out.Stderr)
	}
	if err := f.caughtUp(t.Context()); err != nil {
		t.Errorf("a dry run changed commits: %v", err)
	}
	if out := binary.Command(t, append(set, "--execute")...); out.Code != 0 {
		t.Errorf("the change ended with %d:\n%s", out.Code, out.Stderr)
	}
	committed, err := ledger.Committed(t.Context(), f.admin, f.group, f.Topic)
	if err != nil {
		t.Fatal(err)
	}
	if committed[0] != 1_000 || committed[1] != 200 {
		t.Errorf("committed %v, want 1000 and 200", committed)
	}
	list := binary.Command(t, "offsets", "list", "--group", f.group, "--output", "json", "-c", s.ConfigFile)
	if !json.Valid([]byte(list.Stdout)) || !strings.Contains(list.Stdout, "800") {
		t.Errorf("the list does not have the lag 800:\n%s%s", list.Stdout, list.Stderr)
	}
	s = binary.Start(t, f.config())
	s.Until(t, "the group to catch up", f.caughtUp)
	s.Terminate(t)
	report := f.report(t)
	if err := report.AtLeastOnce(); err != nil || report.Duplicates != 800 {
		t.Errorf("%d duplicates, want 800; %v", report.Duplicates, err)
	}
}

// TestOutOfRange deletes records that are committed as still to be read. It would catch a reader that goes on somewhere
// else in silence.
func TestOutOfRange(t *testing.T) {
	t.Parallel()
	f := newFlow(t, 1)
	f.fill(t, 100)
	s := binary.Start(t, f.config())
	s.Until(t, "the group to catch up", f.caughtUp)
	s.Terminate(t)
	f.fill(t, 900)
	const first = 600
	offsets := kadm.Offsets{}
	offsets.AddOffset(f.Topic, 0, first, -1)
	deleted, err := f.admin.DeleteRecords(t.Context(), offsets)
	if err == nil {
		err = deleted.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
	s = binary.Start(t, f.config())
	if code := s.Exit(t); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	for _, want := range []string{f.Topic + "/0", "100", "on_out_of_range"} {
		if !strings.Contains(s.Stderr.String(), want) {
			t.Errorf("the log does not say %q", want)
		}
	}
	s = binary.Start(t, f.config().With(service.Config{"source.kafka.on_out_of_range": "earliest"}))
	s.Until(t, "the group to catch up", f.caughtUp)
	s.Terminate(t)
	l := f.read(t)
	lane := ledger.Lane(0)
	l.Delivered[lane] = l.Delivered[lane][100:] // the topic does not hold these any more
	if err := l.Check().ExactlyOnce(); err != nil {
		t.Error(err)
	}
}

// TestSinkTopic would catch a start that creates a topic unasked, or one that fails without the remedy.
func TestSinkTopic(t *testing.T) {
	t.Parallel()
	f := newFlow(t, 2)
	f.fill(t, 100, 100)
	f.output += "-missing"
	s := binary.Start(t, f.config())
	if code := s.Exit(t); code == 0 {
		t.Error("exit code 0 without an output topic")
	}
	for _, want := range []string{f.output, "create"} {
		if !strings.Contains(s.Stderr.String(), want) {
			t.Errorf("the log does not say %q:\n%s", want, s.Stderr.Last(5))
		}
	}
	s = binary.Start(t, f.config().With(service.Config{
		"sink.kafka.create.partitions": 2, "sink.kafka.create.replication_factor": 1,
	}))
	s.Until(t, "the group to catch up", f.caughtUp)
	s.Terminate(t)
	f.exactlyOnce(t)
}

// TestTopicCreatedAgain would catch a service that is idle for ever: the group of KIP-848 takes the old topic's partitions
// away, and the client cannot tell the new ones that it is given.
func TestTopicCreatedAgain(t *testing.T) {
	t.Parallel()
	needKafka(t, "it ends no assignment when a topic is deleted")
	for _, protocol := range []string{"classic", "consumer"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			f := newFlow(t, 2)
			config := f.config().With(service.Config{"source.kafka.group_protocol": protocol})
			f.fill(t, 100, 100)
			s := binary.Start(t, config)
			s.Until(t, "the group to catch up", f.caughtUp)
			s.UntilStatus(t, "lag 0", noLag) // so it has looked at the topic
			if _, err := f.admin.DeleteTopic(t.Context(), f.Topic); err != nil {
				t.Fatal(err)
			}
			f.broker.UntilGone(t, f.Topic)
			f.broker.CreateTopic(t, f.Topic, 2, nil)
			if code := s.Exit(t); code != 1 {
				t.Errorf("exit code %d, want 1", code)
			}
			if log := s.Stderr.Last(3); !strings.Contains(log, f.Topic) || !strings.Contains(log, "created anew") {
				t.Errorf("the log does not say that the topic was created anew:\n%s", log)
			}
			f.output = f.broker.Topic(t, "out", 2, nil)
			f.reopen(t)
			f.fill(t, 50, 50)
			s = binary.Start(t, config.With(service.Config{"sink.kafka.topic": f.output}))
			s.Until(t, "the group to catch up", f.caughtUp)
			s.Terminate(t)
			f.exactlyOnce(t)
		})
	}
}
