package pipelinetest

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"streamer/internal/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// check runs a file of tests and expects that every case passes.
func check(t *testing.T, path string) {
	t.Helper()
	file, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	cfg, _, _, err := config.Load(filepath.Join(filepath.Dir(path), file.Config), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	tester, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for i := range file.Cases {
		differences, err := tester.Run(t.Context(), &file.Cases[i])
		if err != nil || len(differences) > 0 {
			t.Errorf("%s: %s: %v\n%s", path, file.Cases[i].Name, err, strings.Join(differences, "\n"))
		}
	}
}

// The examples are configurations that run as they stand, and each has tests.
func TestExamples(t *testing.T) {
	t.Chdir("../..")
	configs, err := filepath.Glob("examples/*/streamer.yaml")
	if err != nil || len(configs) < 6 {
		t.Fatalf("%d examples: %v", len(configs), err)
	}
	for _, path := range configs {
		check(t, filepath.Join(filepath.Dir(path), "tests.yaml"))
	}
}

// The page's example, with the pipeline that it is about.
func TestDocumentationExample(t *testing.T) {
	page, err := os.ReadFile("../../docs/testing.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```yaml tests\n(.*?)```").FindSubmatch(page)
	if found == nil {
		t.Fatal("the page has no example")
	}
	dir := t.TempDir()
	const pipeline = `
source: {kafka: {topics: [clicks], group: g}}
pipeline:
  decode: json
  steps: [{filter: event_type == "view"}, {key_by: ad_id}]
  on_error: dead_letter
dead_letter: {topic: dead}
sink: {drop: {}}
`
	for name, text := range map[string]string{"streamer.yaml": pipeline, "tests.yaml": string(found[1])} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	check(t, filepath.Join(dir, "tests.yaml"))
}

func TestDiff(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		got, want string
		lines     []string
	}{
		{`{"a":1,"b":[1,2]}`, `{"b":[1.0,2],"a":1}`, nil},
		{`9007199254740993`, `9007199254740992`, []string{"v: got 9007199254740993, want 9007199254740992"}},
		{`{"a":{"b":1,"c":2}}`, `{"a":{"b":"1","d":null}}`, []string{
			`v.a.b: got 1, want "1"`, "v.a.c: is not expected, got 2", "v.a.d: is missing, want null",
		}},
		{`[1,2]`, `[1,3]`, []string{"v[1]: got 2, want 3"}},
		{`[1,2]`, `[1]`, []string{"v: got [1,2], want [1]"}},
		{`null`, `null`, nil},
		{`not JSON`, `{}`, []string{"v: got not JSON, want {}"}},
		{`true`, `1`, []string{"v: got true, want 1"}},
	} {
		if got := diff("v", []byte(test.got), []byte(test.want)); !slices.Equal(got, test.lines) {
			t.Errorf("%s against %s: %q, want %q", test.got, test.want, got, test.lines)
		}
	}
}
