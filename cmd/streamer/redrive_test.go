package main

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/kafka"
)

// TestRedriveDocumentation runs the commands of docs/redrive.md in their order, on the letters that the page tells of.
func TestRedriveDocumentation(t *testing.T) {
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1), kfake.SeedTopics(1, "payments", "payments-dead", "payments-cents"),
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	produceLetters(t, cluster.ListenAddrs())
	page, err := os.ReadFile("../../docs/redrive.md")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir("../../examples/deadletter")
	env := []string{"STREAMER_KAFKA_BROKERS=" + cluster.ListenAddrs()[0], "STREAMER_BATCH_INTERVAL=10ms"}
	blocks := regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	ran := 0
	for _, block := range blocks {
		for command := range strings.SplitSeq(strings.TrimPrefix(block[1], "$ streamer "), "$ streamer ") {
			line, want, _ := strings.Cut(command, "\n")
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), words(line), &stdout, &stderr, env)
			got := stdout.String() + regexp.MustCompile(`(?m)^redrive: .*\n`).FindString(stderr.String())
			if ran++; code != 0 || strings.TrimSpace(got) != strings.TrimSpace(want) {
				t.Errorf("streamer %s: exit code %d\n%s\nthe page says\n%s\n%s", line, code, got, want, stderr.String())
			}
		}
	}
	if ran != 5 {
		t.Errorf("%d commands were found", ran)
	}
}

// words splits a command line at blanks outside of single quotes.
func words(line string) []string {
	var all []string
	for _, word := range regexp.MustCompile(`'[^']*'|\S+`).FindAllString(line, -1) {
		all = append(all, strings.Trim(word, "'"))
	}
	return all
}

// produceLetters writes five letters, a minute apart.
func produceLetters(t *testing.T, brokers []string) {
	t.Helper()
	client, err := kafka.NewClient(kafka.Config{Brokers: brokers}, kafka.Use{Role: "test", Path: "kafka"})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for i, of := range []struct{ value, class, step, reason string }{
		{`{"id": 1, "amount"`, "decode", "decode", "invalid JSON at byte 18: expected ':' after a field name"},
		{`{"id": 2, "amount": "2.5", "currency": "chf"}`, "evaluate", "steps[0].map.cents", "column 12: invalid operation: string * int"},
		{`{"id": 3, "amount": 1}`, "evaluate", "steps[0].map.currency", "column 7: upper of nil"},
		{`{"id": 4, "amount": "much", "currency": "chf"}`, "evaluate", "steps[0].map.cents", "column 12: invalid operation: string * int"},
		{`{"id": 5, "amount": 2}`, "evaluate", "steps[0].map.currency", "column 7: upper of nil"},
	} {
		letter := &kgo.Record{
			Topic: "payments-dead", Key: fmt.Appendf(nil, "p-%d", i), Value: []byte(of.value),
			Timestamp: time.Date(2026, 1, 31, 12, i, 0, 0, time.UTC),
		}
		values := []string{"payments", "0", strconv.Itoa(i), "1769860000000", of.class, of.step, of.reason, "payments", "v1"}
		for at, name := range kafka.DeadLetterHeaders() {
			letter.Headers = append(letter.Headers, kgo.RecordHeader{Key: name, Value: []byte(values[at])})
		}
		if err := client.ProduceSync(t.Context(), letter).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}
