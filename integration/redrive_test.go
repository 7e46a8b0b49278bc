package integration_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/integration/service"
)

// redrive is a flow whose pipeline failed on some records, and the dead letters of that.
type redrive struct {
	*flow

	dead string
	file string // the pipeline's configuration
}

// newRedrive sends the records to a pipeline that doubles n, and waits until those that it cannot are dead letters.
func newRedrive(t *testing.T, partitions, deadPartitions int, records ...*kgo.Record) *redrive {
	t.Helper()
	f := newFlow(t, partitions)
	r := &redrive{flow: f, dead: f.broker.Topic(t, "dead", int32(deadPartitions), nil)}
	f.send(t, records...)
	config := r.pipeline("n * 2")
	s := binary.Start(t, config)
	s.Until(t, "the group to catch up", f.caughtUp)
	s.Terminate(t)
	r.file = service.WriteConfig(t, config)
	return r
}

func (r *redrive) pipeline(twice string) service.Config {
	return r.config().With(service.Config{
		"pipeline.decode": "json", "pipeline.encode": "json", "pipeline.circuit_breaker.percent": 0,
		"pipeline.steps":            []map[string]any{{"map": map[string]string{"twice": twice}}},
		"pipeline.on_error.default": "dead_letter", "dead_letter.topic": r.dead,
		// The pipeline's own service goes on while letters are sent: a redrive must not take its name or its port.
		"source.kafka.instance_id": "static-1",
	})
}

// run redrives and expects success and a line of the report.
func (r *redrive) run(t *testing.T, report string, flags ...string) service.Output {
	t.Helper()
	out := binary.Command(t, append([]string{"redrive", "-c", r.file}, flags...)...)
	if out.Code != 0 || !strings.Contains(out.Stderr, report) && !strings.Contains(out.Stdout, report) {
		t.Fatalf("redrive %v: exit code %d, want 0 and %q\n%s\n%s", flags, out.Code, report, out.Stdout, out.Stderr)
	}
	return out
}

// groupOf finds the group that the report names.
func groupOf(t *testing.T, out service.Output) string {
	t.Helper()
	found := regexp.MustCompile(`progress is in group (\S+)`).FindStringSubmatch(out.Stderr)
	if found == nil {
		t.Fatalf("no group in the report:\n%s", out.Stderr)
	}
	return found[1]
}

const (
	originHeader = "streamer-redriven-from"
	classHeader  = "streamer-error-class"
)

// failing are records of which the odd ones fail, by turns to decode and to evaluate, in partitions 0 to 2.
func failing() []*kgo.Record {
	records := make([]*kgo.Record, 0, 24)
	for i := range 24 {
		r := &kgo.Record{Partition: int32(i % 3), Key: fmt.Appendf(nil, "k%d", i), Value: fmt.Appendf(nil, `{"n":%d}`, i)}
		switch i % 4 {
		case 1:
			r.Value = fmt.Appendf(nil, "\x00%d\xff", i)
			// Of the dead letter's own names, so that stripping by name would take it too.
			r.Headers = []kgo.RecordHeader{{Key: classHeader, Value: []byte("mine")}, {Key: "nil"}, {Key: originHeader, Value: []byte("old")}}
		case 3:
			r.Value, r.Headers = fmt.Appendf(nil, `{"n":"%d"}`, i), []kgo.RecordHeader{{Key: "trace", Value: []byte("t")}}
			if i%8 == 3 {
				r.Key = nil
			}
		}
		records = append(records, r)
	}
	return records
}

// sent are the records behind the first ones of the source topic: what was redriven, by value.
func (r *redrive) sent(t *testing.T, first int) map[string]*kgo.Record {
	t.Helper()
	sent := map[string]*kgo.Record{}
	for _, got := range r.topic(t, r.Topic) {
		if len(got.Headers) > 0 && got.Headers[len(got.Headers)-1].Key == originHeader && header(got, originHeader) != "old" {
			sent[string(got.Value)] = got
			continue
		}
		first--
	}
	if first != 0 {
		t.Errorf("%d records of the source topic have no origin header and were not there before", -first)
	}
	return sent
}

// TestRedriveToSource sends letters back and compares them with the records that they were. It would catch a header that is
// lost or left, a record that comes to another partition, letters that go twice, and a dry run that leaves a trace.
func TestRedriveToSource(t *testing.T) {
	t.Parallel()
	records := failing()
	r := newRedrive(t, 3, 2, records...)

	dry := r.run(t, "12 selected, 0 not selected; nothing was sent", "--dry-run")
	for _, line := range []string{`decode +decode +6 +2`, `evaluate +steps\[0\].map.twice +6 +2`} {
		if !regexp.MustCompile(r.Topic + ` +` + line).MatchString(dry.Stdout) {
			t.Errorf("the table has no line %s:\n%s", line, dry.Stdout)
		}
	}
	if sent := r.sent(t, len(records)); len(sent) != 0 {
		t.Errorf("a dry run sent %d records", len(sent))
	}
	groups, err := r.admin.ListGroups(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name := range groups {
		if strings.HasPrefix(name, r.group+".") {
			t.Errorf("a dry run left group %s", name)
		}
	}

	r.run(t, "6 sent, 6 not selected", "--class", "decode", "--topic", r.Topic)
	sent := r.sent(t, len(records))
	for i, want := range records {
		got := sent[string(want.Value)]
		if i%4 != 1 {
			if got != nil {
				t.Errorf("record %d was sent and is not of class decode", i)
			}
			continue
		}
		headers := []kgo.RecordHeader{{Key: classHeader, Value: []byte("mine")}, {Key: "nil"}}
		checkSent(t, got, want, headers)
	}
	r.run(t, "0 sent, 0 not selected", "--topic", r.Topic, "--class", "decode") // it goes on where it stopped
	r.run(t, "0 selected, 0 not selected", "--topic", r.Topic, "--class", "decode", "--dry-run")
	r.run(t, "6 selected, 6 not selected", "--topic", r.Topic, "--class", "decode", "--dry-run", "--restart")
	r.run(t, "0 sent, 0 not selected", "--topic", r.Topic, "--class", "decode") // the dry run has not moved the group
	r.run(t, "6 sent, 6 not selected", "--class", "decode", "--topic", r.Topic, "--restart")
	r.run(t, "6 selected, 6 not selected", "--dry-run", "--step", "steps[0].map.twice")
	out := r.run(t, "3 sent, 9 not selected", "--decode", "raw", "--class", "evaluate",
		"--where", `meta.key == nil and meta.headers["streamer-error-reason"] contains "string * int"`)
	if !strings.HasPrefix(groupOf(t, out), r.group+".redrive.") {
		t.Errorf("the group is %s", groupOf(t, out))
	}
}

func checkSent(t *testing.T, got, want *kgo.Record, headers []kgo.RecordHeader) {
	t.Helper()
	if got == nil {
		t.Errorf("record %q was not sent", want.Value)
		return
	}
	own := got.Headers[:len(got.Headers)-1]
	same := slices.EqualFunc(own, headers, func(a, b kgo.RecordHeader) bool {
		return a.Key == b.Key && string(a.Value) == string(b.Value) && (a.Value == nil) == (b.Value == nil)
	})
	if string(got.Key) != string(want.Key) || (got.Key == nil) != (want.Key == nil) || got.Partition != want.Partition || !same {
		t.Errorf("sent %q to partition %d with %v, want %q to %d with %v", got.Key, got.Partition, own, want.Key, want.Partition, headers)
	}
}

// TestRedriveThrough sends letters through the pipeline, which is repaired for some of them. The others must be letters again
// that name their place in the source, as if they had come from there.
func TestRedriveThrough(t *testing.T) {
	t.Parallel()
	records := failing()
	r := newRedrive(t, 3, 2, records...)
	before := len(r.topic(t, r.output))
	r.file = service.WriteConfig(t, r.pipeline("int(n) * 2").With(service.Config{
		// Its topic is not what a redrive consumes.
		"pipeline.streams": map[string]any{"in": map[string]any{"topics": []string{r.Topic}, "decode": "json"}},
	}))
	r.run(t, "6 delivered, 0 not selected or filtered, 0 aggregated, 6 failed again (6 dead-lettered, 0 skipped)", "--through")

	var twice []int
	for _, out := range r.topic(t, r.output) {
		if header(out, originHeader) == "" {
			before--
			continue
		}
		n, err := strconv.Atoi(strings.Trim(string(out.Value), `{}"twice:`))
		if err != nil || header(out, classHeader) != "" || header(out, "trace") != "t" {
			t.Errorf("delivered %q with %v", out.Value, out.Headers)
		}
		twice = append(twice, n)
	}
	slices.Sort(twice)
	if want := []int{6, 14, 22, 30, 38, 46}; !slices.Equal(twice, want) || before != 0 {
		t.Errorf("delivered %v, want %v; %d of the first run are missing", twice, want, before)
	}
	checkAgain(t, r, records)
}

// TestRedriveThroughRefused has a sink that refuses what the repaired pipeline makes of a letter. The service then reads the
// record again, which here is the letter: its new letter must be of the record all the same.
func TestRedriveThroughRefused(t *testing.T) {
	t.Parallel()
	own := []kgo.RecordHeader{{Key: "trace", Value: []byte("t")}}
	r := newRedrive(t, 1, 1, &kgo.Record{Value: []byte(`{"n":1}`)}, &kgo.Record{Key: []byte("k"), Value: []byte(`{"n":"2"}`), Headers: own})
	r.broker.Configure(t, map[string]string{"max.message.bytes": "2000"}, r.output)
	r.file = service.WriteConfig(t, r.pipeline(`repeat(n, 5000)`).With(service.Config{"sink.kafka.compression": "none"}))
	r.run(t, "0 delivered, 0 not selected or filtered, 0 aggregated, 1 failed again (1 dead-lettered, 0 skipped)", "--through")
	letters := r.topic(t, r.dead)
	if len(letters) != 2 {
		t.Fatalf("%d letters, want 2", len(letters))
	}
	again := letters[1]
	if string(again.Key) != "k" || string(again.Value) != `{"n":"2"}` || len(again.Headers) != 2+9 || header(again, "trace") != "t" ||
		header(again, originHeader) != r.dead+"/0/0" || header(again, classHeader) != "too_large" ||
		header(again, "streamer-source-topic") != r.Topic || header(again, "streamer-source-offset") != "1" {
		t.Errorf("the new letter is %q %q with %v", again.Key, again.Value, again.Headers)
	}
}

// checkAgain looks at the letters that failed again.
func checkAgain(t *testing.T, r *redrive, records []*kgo.Record) {
	t.Helper()
	sources := map[string]*kgo.Record{}
	for _, record := range r.topic(t, r.Topic) {
		sources[string(record.Value)] = record
	}
	again := 0
	for _, letter := range r.topic(t, r.dead) {
		if header(letter, originHeader) == "" || header(letter, originHeader) == "old" {
			continue
		}
		again++
		source := sources[string(letter.Value)]
		place := [3]string{header(letter, "streamer-source-topic"), header(letter, "streamer-source-partition"), header(letter, "streamer-source-offset")}
		want := [3]string{r.Topic, strconv.Itoa(int(source.Partition)), strconv.FormatInt(source.Offset, 10)}
		if place != want || header(letter, "streamer-source-timestamp") != strconv.FormatInt(source.Timestamp.UnixMilli(), 10) {
			t.Errorf("a letter of letter names %v, want %v: %v", place, want, letter.Headers)
		}
		if len(letter.Headers) != 3+9 || string(letter.Headers[0].Value) != "mine" || header(letter, "streamer-pipeline") != r.group {
			t.Errorf("the headers of a letter of a letter are %v", letter.Headers)
		}
	}
	if again != len(records)/4 {
		t.Errorf("%d letters failed again, want %d", again, len(records)/4)
	}
}
