package expression

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestDocumentationExamples runs every table row of docs/expressions.md that has an expression and a result.
func TestDocumentationExamples(t *testing.T) {
	page, err := os.ReadFile("../../docs/expressions.md")
	if err != nil {
		t.Fatal(err)
	}
	_, fenced, _ := strings.Cut(string(page), "```json\n")
	value, rest, _ := strings.Cut(fenced, "```")
	r := &Record{Source: &kgo.Record{
		Topic: "events", Partition: 3, Offset: 42, Key: []byte("user-7"), Timestamp: time.UnixMilli(1790000000123),
		Headers: []kgo.RecordHeader{{Key: "trace", Value: []byte("t1")}},
	}}
	if err := r.Value.Parse([]byte(value)); err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\|.*?`([^`]+)` \\| (?:`([^`]+)`|(error: .*?)) \\|.*$")
	rows := 0
	for _, match := range row.FindAllStringSubmatch(rest, -1) {
		// The first cell may hold code of its own; the expression is the cell before the result.
		want := match[2] + match[3]
		got, err := evaluate(t, match[1], r)
		if err != nil {
			got = "error: " + err.Error()
		}
		if rows++; got != want {
			t.Errorf("%s = %s, the page says %s", match[1], got, want)
		}
	}
	if rows < 40 {
		t.Errorf("only %d rows were found", rows)
	}
}
