package expression

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func docsScope() Scope { return Scope{Value: Fields} }

// TestDocumentationExamples runs every table row, both ways, of docs/expressions.md that has an expression and a result.
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
		p, err := Compile(match[1], docsScope())
		if err != nil {
			t.Errorf("%s: %v", match[1], err)
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
	if rows < 40 {
		t.Errorf("only %d rows were found", rows)
	}
}
