package expression

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/document"
)

// page returns docs/expressions.md and the record that its examples look into.
func page(t *testing.T) (text string, r *Record) {
	t.Helper()
	content, err := os.ReadFile("../../docs/expressions.md")
	if err != nil {
		t.Fatal(err)
	}
	_, fenced, _ := strings.Cut(string(content), "```json\n")
	value, text, _ := strings.Cut(fenced, "```")
	r = &Record{Source: &kgo.Record{
		Topic: "events", Partition: 3, Offset: 42, Key: []byte("user-7"), Timestamp: time.UnixMilli(1790000000123),
		Headers: []kgo.RecordHeader{{Key: "trace", Value: []byte("t1")}},
	}}
	r.Joined = []*document.Document{row(t, `{"campaign":"c-1","budget":100}`), nil}
	for d, text := range map[*document.Document]string{&r.Value: value, &r.Key: `{"id": 7, "tags": ["a"]}`} {
		if err := d.Parse([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	return text, r
}

// documented compiles an example: with a decoded key where it looks into one.
func documented(text string) (*Program, error) {
	scope := Scope{Value: Fields, Joined: []string{"ad", "shop"}}
	if strings.Contains(text, "meta.key.") {
		scope.Key = Fields
	}
	return Compile(text, scope)
}

// TestDocumentationExamples runs every table row, both ways, of docs/expressions.md that has an expression and a result.
func TestDocumentationExamples(t *testing.T) {
	text, r := page(t)
	row := regexp.MustCompile("(?m)^\\|.*?`([^`]+)` \\| (?:`([^`]+)`|(error: .*?)) \\|.*$")
	rows := 0
	for _, match := range row.FindAllStringSubmatch(text, -1) {
		// The first cell may hold code of its own; the expression is the cell before the result.
		want := match[2] + match[3]
		p, err := documented(match[1])
		if err != nil {
			if got := "error: " + err.Error(); got != want {
				t.Errorf("%s: %s, the page says %s", match[1], got, want)
			}
			continue
		}
		for way, program := range map[string]*Program{"compiled": p, "on the machine": onMachine(p)} {
			if program != p && p.path != nil {
				continue // a copied field has every digit that it came with
			}
			out, err := new(Evaluator).Append(nil, program, r)
			got := string(out)
			if err != nil {
				got = "error: " + err.Error()
			}
			if got != want {
				t.Errorf("%s = %s %s, the page says %s", match[1], got, way, want)
			}
		}
		rows++
	}
	if rows < 80 {
		t.Errorf("only %d rows were found", rows)
	}
}

func TestDocumentationSaysWhatRunsCompiled(t *testing.T) {
	text, _ := page(t)
	row := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (?:compiled|on the machine: (.*)) \\|$")
	matches := row.FindAllStringSubmatch(text, -1)
	for _, match := range matches {
		p, err := documented(match[1])
		if err != nil {
			t.Fatal(err)
		}
		if p.FallbackReason() != match[2] || p.Compiled() != (match[2] == "") {
			t.Errorf("%s: %q, the page says %q", match[1], p.FallbackReason(), match[2])
		}
	}
	if len(matches) < 10 {
		t.Errorf("only %d rows were found", len(matches))
	}
}
