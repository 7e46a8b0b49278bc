package pipeline

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestDocumentationExamples runs every pipeline of docs/pipeline.md over its lines, and expects its output.
func TestDocumentationExamples(t *testing.T) {
	page, err := os.ReadFile("../../docs/pipeline.md")
	if err != nil {
		t.Fatal(err)
	}
	example := regexp.MustCompile("(?s)```yaml pipeline\n(.*?)```\n\n```text in\n(.*?)\n```\n\n```text out\n(.*?)\n```")
	found := example.FindAllStringSubmatch(string(page), -1)
	for _, match := range found {
		w := worker(t, match[1])
		if got := runLines(w, strings.Split(match[2], "\n")); got != match[3] {
			t.Errorf("%sgives\n%s\nthe page says\n%s", match[1], got, match[3])
		}
	}
	if len(found) != strings.Count(string(page), "```yaml") || len(found) == 0 {
		t.Errorf("%d examples were found", len(found))
	}
}

// runLines makes a record of each line, with offsets from 0, and writes what became of them.
func runLines(w *Worker, lines []string) string {
	records := make([]*kgo.Record, len(lines))
	for i, line := range lines {
		records[i] = &kgo.Record{Topic: "events", Offset: int64(i), Timestamp: time.UnixMilli(int64(999 + i)), Value: []byte(line)}
		if line == "tombstone" {
			records[i].Value = nil
		}
	}
	b := process(w, records)
	var out []string
	for i := range b.Out {
		if b.Out[i].Value == nil {
			out = append(out, "tombstone")
		} else {
			out = append(out, string(b.Out[i].Value))
		}
	}
	for _, f := range b.Skipped {
		out = append(out, fmt.Sprintf("skipped: %v", f))
	}
	if b.Stopped != nil {
		out = append(out, fmt.Sprintf("stopped: %v", b.Stopped))
	}
	return strings.Join(out, "\n")
}
