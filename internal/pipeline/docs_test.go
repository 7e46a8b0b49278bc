package pipeline

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/record"
)

var (
	// example is a pipeline, its input and its output, and the table in front of it if it joins one.
	example = regexp.MustCompile("(?s)(?:```csv ([^\n]+)\n(.*?)```\n\n)?```yaml pipeline\n([^`]*?)```\n\n```text in\n(.*?)\n```\n\n```text out\n(.*?)\n```")
	begins  = regexp.MustCompile("```yaml pipeline\n")
)

// TestDocumentationExamples runs every pipeline of the pages over its lines, and expects its output.
func TestDocumentationExamples(t *testing.T) {
	pages, err := filepath.Glob("../../docs/steps/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	for _, page := range append(pages, "../../docs/pipeline.md") {
		t.Run(filepath.Base(page), func(t *testing.T) {
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			found := example.FindAllStringSubmatch(string(text), -1)
			for _, match := range found {
				config := match[3]
				if name := match[1]; name != "" {
					file := filepath.Join(t.TempDir(), name)
					if err := os.WriteFile(file, []byte(match[2]), 0o600); err != nil {
						t.Fatal(err)
					}
					config = strings.ReplaceAll(config, "file: "+name, "file: "+file)
				}
				chain, err := Compile(parse(t, config), Options{Topics: []string{"views", "other"}})
				if err != nil {
					t.Fatalf("%s: %v", match[3], err)
				}
				if got := runLines(t, chain, strings.Split(match[4], "\n")); got != match[5] {
					t.Errorf("%sgives\n%s\nthe page says\n%s", match[3], got, match[5])
				}
			}
			if want := len(begins.FindAllIndex(text, -1)); len(found) != want || want == 0 {
				t.Errorf("%d examples were found of %d", len(found), want)
			}
		})
	}
}

// runLines makes a record of each line, with offsets from 0, and writes what became of them. A line may begin with a topic
// in brackets, and with a key and an arrow.
func runLines(t *testing.T, chain *Chain, lines []string) string {
	t.Helper()
	w := chain.NewWorker(context.Background())
	batch := &record.Batch{ID: 1, Spans: map[record.Owner]record.Span{}}
	for i, line := range lines {
		r := &kgo.Record{Topic: "events", Offset: int64(i), Timestamp: time.UnixMilli(int64(999 + i))}
		if rest, ok := strings.CutPrefix(line, "["); ok {
			if topic, value, ok := strings.Cut(rest, "] "); ok && !strings.ContainsAny(topic, `"{,`) {
				r.Topic, line = topic, value
			}
		}
		if key, value, keyed := strings.Cut(line, " -> "); keyed {
			r.Key, line = []byte(key), value
		}
		if r.Value = []byte(line); line == "tombstone" {
			r.Value = nil
		}
		b, _ := block([]*kgo.Record{r})
		b.Owner.Topic, b.Owner.Partition = r.Topic, 0
		w.Process(b)
		batch.Blocks = append(batch.Blocks, b)
	}
	if chain.Aggregates() {
		if err := chain.NewReducer(context.Background()).Reduce(batch); err != nil {
			t.Fatal(err)
		}
	}
	return strings.Join(outcome(batch), "\n")
}

func outcome(batch *record.Batch) []string {
	var out []string
	for owner, o := range batch.Outputs {
		line := string(o.Value)
		if o.Value == nil {
			line = "tombstone"
		}
		if o.Key != nil && owner.Topic != "" {
			line = string(o.Key) + " -> " + line
		}
		if o.To != nil && o.To.Topic != "" {
			line = "[" + o.To.Topic + "] " + line
		}
		out = append(out, line)
	}
	for _, b := range batch.Blocks {
		for _, f := range b.Skipped {
			out = append(out, fmt.Sprintf("skipped: %v", f))
		}
		for _, d := range b.Dead {
			out = append(out, fmt.Sprintf("dead letter: %v", d))
		}
		if b.Stopped != nil {
			out = append(out, fmt.Sprintf("stopped: %v", b.Stopped))
		}
	}
	return out
}
