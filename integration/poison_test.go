package integration_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/integration/ledger"
	"streamer/integration/service"
)

// TestPoisonRecord has one record that is no JSON. It would catch a commit past it, records before it that are held
// back, a message that does not say where and how to go on, and a payload that ends up in the log.
func TestPoisonRecord(t *testing.T) {
	t.Parallel()
	f := newFlow(t, 2)
	f.fill(t, 5_000, 5_000)
	const poison, secret = 5_000, "not JSON: 4711-secret"
	record := &kgo.Record{Topic: f.Topic, Partition: 1, Value: []byte(secret)}
	if err := f.broker.Client(t, ledger.ProducerOpts()...).ProduceSync(t.Context(), record).FirstErr(); err != nil {
		t.Fatal(err)
	}
	f.fill(t, 5_000, 5_000)
	f.sample(t)
	config := f.config().With(service.Config{
		"pipeline.decode": "json", "pipeline.encode": "json",
		"pipeline.steps": []map[string]any{
			{"filter": `event_type == "view"`},
			{"map": map[string]string{"run": "run", "partition": "partition", "seq": "seq", "key": "key", "crc": "crc"}},
		},
	})
	isView := func(id ledger.ID) bool { return id.Kind() == "view" }

	s := binary.Start(t, config)
	if code := s.Exit(t); code != 1 {
		t.Fatalf("exit code %d, want 1", code)
	}
	committed, err := ledger.Committed(t.Context(), f.admin, f.group, f.Topic)
	if err != nil {
		t.Fatal(err)
	}
	if committed[1] != poison {
		t.Errorf("%d committed, want %d, the offset of the poison record", committed[1], poison)
	}
	log := s.Stderr.String()
	if strings.Contains(log, secret) || strings.Contains(log, "4711") {
		t.Error("the log holds the record's payload")
	}
	l := f.read(t)
	l.Keep(func(id ledger.ID) bool { return isView(id) && (id.Partition == 1) && id.Seq < poison })
	// Of the other partition any part may have been delivered.
	for lane, ids := range l.Delivered {
		if lane != ledger.Lane(1) {
			l.Delivered[lane] = ids[:0]
		}
	}
	l.Samples = nil
	if err := l.Check().ExactlyOnce(); err != nil {
		t.Errorf("before the skip: %v", err)
	}

	skip(t, log, fmt.Sprintf("%s/1@%d", f.Topic, poison), s.ConfigFile)
	s = binary.Start(t, config)
	s.Until(t, "the group to catch up behind the skipped record", f.caughtUp)
	s.Terminate(t)
	l = f.read(t)
	l.Keep(isView)
	if err := l.Check().ExactlyOnce(); err != nil {
		t.Errorf("after the skip: %v", err)
	}
}

var skipCommand = regexp.MustCompile(`streamer (offsets skip (\S+) --group \S+[^;,"\\]*)`)

// skip finds the command in the log, and runs it as it stands there.
func skip(t *testing.T, log, record, configFile string) {
	t.Helper()
	found := skipCommand.FindStringSubmatch(log)
	if found == nil {
		t.Fatalf("the log does not say how to go on:\n%s", log)
	}
	if found[2] != record {
		t.Errorf("the log says to skip %s, want %s", found[2], record)
	}
	args := strings.Fields(found[1])
	if !strings.Contains(found[1], "-c ") {
		args = append(args, "-c", configFile)
	}
	if out := binary.Command(t, args...); out.Code != 0 {
		t.Fatalf("%v: exit code %d\n%s%s", args, out.Code, out.Stdout, out.Stderr)
	}
}

// TestSkipPolicy would catch a policy that skips more than the record, or in silence.
func TestSkipPolicy(t *testing.T) {
	t.Parallel()
	f := newFlow(t, 1)
	f.fill(t, 1_000)
	record := &kgo.Record{Topic: f.Topic, Value: []byte("{")}
	if err := f.broker.Client(t, ledger.ProducerOpts()...).ProduceSync(t.Context(), record).FirstErr(); err != nil {
		t.Fatal(err)
	}
	f.fill(t, 1_000)
	s := binary.Start(t, f.config().With(service.Config{
		"pipeline.decode": "json", "pipeline.on_error": "skip", "pipeline.steps": []map[string]any{{"filter": "seq >= 0"}},
	}))
	s.Until(t, "the group to catch up", f.caughtUp)
	s.UntilStatus(t, "the skipped record to be counted", func(status *service.Status) error {
		if status.Totals.Skipped != 1 {
			return fmt.Errorf("%d skipped", status.Totals.Skipped)
		}
		return nil
	})
	s.Terminate(t)
	f.exactlyOnce(t)
}
