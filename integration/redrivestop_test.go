package integration_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/integration/eventually"
	"streamer/integration/ledger"
	"streamer/integration/service"
)

// TestRedriveInterrupted kills a redrive in the middle, and runs it again. Every letter must have been sent; those that were
// sent twice are of the tail that was not committed, and have the same origin both times. The first run cannot get far behind
// the middle, since from there on its expression takes a good part of a second for each letter.
func TestRedriveInterrupted(t *testing.T) {
	t.Parallel()
	const count, middle = 2_000, 1_000
	r := newRedrive(t, 1, 1, &kgo.Record{Value: []byte("0")})
	letter := r.topic(t, r.dead)[0]
	letters := make([]*kgo.Record, count-1)
	for i := range letters {
		letters[i] = &kgo.Record{Topic: r.dead, Value: fmt.Append(nil, i+1), Headers: letter.Headers}
	}
	if err := r.broker.Client(t, ledger.ProducerOpts()...).ProduceSync(t.Context(), letters...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	again := r.group + "-again"
	flags := []string{
		"redrive", "-c", r.file, "--group", again, "--set", "block.max_records=50", "--set", "batch.max_records=100",
	}
	slow := fmt.Sprintf("meta.offset < %d or all(1..3000, %s)", middle, slowStep)
	first := binary.Spawn(t, nil, append(flags, "--where", slow)...)
	eventually.Holds(t, service.Patience, "a quarter of the letters to be committed", func(ctx context.Context) error {
		committed, err := ledger.Committed(ctx, r.admin, again, r.dead)
		if err == nil && committed[0] < middle/2 {
			err = fmt.Errorf("committed %v", committed)
		}
		return err
	})
	if err := first.Kill(); err != nil {
		t.Fatal(err)
	}
	committed, err := ledger.Committed(t.Context(), r.admin, again, r.dead)
	if err != nil || committed[0] >= count {
		t.Fatalf("committed %v: %v; want it to be killed before the end", committed, err)
	}
	if out := binary.Command(t, flags...); out.Code != 0 {
		t.Fatalf("exit code %d, want 0\n%s", out.Code, out.Stderr)
	}
	r.checkOrigins(t, count, committed[0])
}

// checkOrigins holds what was sent against the letters, and against what was committed when the redrive died.
func (r *redrive) checkOrigins(t *testing.T, count int, committed int64) {
	t.Helper()
	times := map[string]int{}
	for _, got := range r.topic(t, r.Topic) {
		origin := header(got, originHeader)
		if origin == "" {
			continue
		}
		times[origin]++
		if origin != r.dead+"/0/"+string(got.Value) {
			t.Errorf("origin %s is of %q", origin, got.Value)
		}
	}
	if len(times) != count {
		t.Errorf("%d letters were sent, want %d", len(times), count)
	}
	repeated := 0
	for origin, n := range times {
		offset, err := strconv.ParseInt(strings.TrimPrefix(origin, r.dead+"/0/"), 10, 64)
		if err != nil {
			t.Fatalf("origin %q: %v", origin, err)
		}
		if n > 1 {
			repeated++
		}
		if n > 2 || n > 1 && offset < committed {
			t.Errorf("%s was sent %d times, and %d is committed", origin, n, committed)
		}
	}
	t.Logf("%d of %d letters were sent twice", repeated, count)
}

// TestRedriveStopsAtForeignLetter has a letter of a topic that the pipeline does not read, and a record that is no letter.
// Both must stop the run before them and be named; nothing behind them may be committed.
func TestRedriveStopsAtForeignLetter(t *testing.T) {
	t.Parallel()
	bad := []*kgo.Record{{Value: []byte("{")}, {Value: []byte("[")}}
	r := newRedrive(t, 1, 1, bad...)
	letters := r.topic(t, r.dead)
	foreign := &kgo.Record{Topic: r.dead, Value: []byte("x"), Headers: slices.Clone(letters[0].Headers)}
	foreign.Headers[0].Value = []byte("elsewhere")
	last := &kgo.Record{Topic: r.dead, Value: []byte("last"), Headers: letters[0].Headers}
	if err := r.broker.Client(t, ledger.ProducerOpts()...).ProduceSync(t.Context(), foreign, last).FirstErr(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second run must stop there as well, and not pass it
		out := binary.Command(t, "redrive", "-c", r.file)
		if out.Code != 1 || !strings.Contains(out.Stderr, "record "+r.dead+"/0@2 failed") ||
			!strings.Contains(out.Stderr, "topic elsewhere, which source.kafka does not read") || !strings.Contains(out.Stderr, "--topic") {
			t.Fatalf("exit code %d\n%s", out.Code, out.Stderr)
		}
		committed, err := ledger.Committed(t.Context(), r.admin, groupOf(t, out), r.dead)
		if err != nil || committed[0] != 2 {
			t.Errorf("committed %v (%v), want 2", committed, err)
		}
	}
	if sent := r.sent(t, len(bad)); len(sent) != 2 {
		t.Errorf("%d letters were sent, want 2", len(sent))
	}
	r.run(t, "3 sent, 1 not selected", "--topic", r.Topic)
	if sent := r.sent(t, len(bad)); sent["last"] == nil {
		t.Error("the letter behind the foreign one was not sent")
	}

	if err := r.broker.Client(t, ledger.ProducerOpts()...).ProduceSync(t.Context(), &kgo.Record{Topic: r.dead}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	out := binary.Command(t, "redrive", "-c", r.file, "--topic", r.Topic, "--dry-run", "--restart")
	if out.Code != 1 || !strings.Contains(out.Stderr, "record "+r.dead+"/0@4 failed: decode: headers: it has 0 headers") {
		t.Fatalf("exit code %d\n%s", out.Code, out.Stderr)
	}
}

// TestRedriveRestartOfLiveGroup would catch a restart that moves a group whose member then commits over it.
func TestRedriveRestartOfLiveGroup(t *testing.T) {
	t.Parallel()
	r := newRedrive(t, 1, 1, &kgo.Record{Value: []byte("{")})
	group := groupOf(t, r.run(t, "1 sent, 0 not selected"))
	member := r.broker.Client(t, kgo.ConsumerGroup(group), kgo.ConsumeTopics(r.dead), kgo.DisableAutoCommit())
	eventually.Holds(t, service.Patience, "the member to join", func(ctx context.Context) error {
		described, err := r.admin.DescribeGroups(ctx, group)
		if err != nil {
			return fmt.Errorf("describe group: %w", err)
		}
		if described[group].State != "Stable" {
			return fmt.Errorf("the group is %s", described[group].State)
		}
		return nil
	})
	out := binary.Command(t, "redrive", "-c", r.file, "--restart")
	if out.Code != 1 || !strings.Contains(out.Stderr, "group "+group+" has 1 member(s)") {
		t.Fatalf("exit code %d\n%s", out.Code, out.Stderr)
	}
	member.Close()
}
