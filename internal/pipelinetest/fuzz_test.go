package pipelinetest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"streamer/internal/config"
)

// FuzzRead holds that no file of tests makes the reader or a run of its cases panic, that every error says in which file
// it is, and that values become JSON.
func FuzzRead(f *testing.F) {
	paths, err := filepath.Glob("../../examples/*/*test*.yaml")
	if err != nil || len(paths) == 0 {
		f.Fatalf("no examples: %v", err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	for _, seed := range []string{
		"", "- a", "cases:\n  - {name: x, input: [{value: &a {b: [*a]}}]}", "cases: [{name: x, input: [{value: .inf, key: 0x1f}]}]",
		"a: &a [x,x]\nb: &b [*a,*a]\ncases: [{name: x, input: [{value: *b}]}]", "cases: [{nam: x}]", "cases: {}", "cases: [[1]]",
		"cases: [{name: x, input: [{partition: -1, offset: 9223372036854775807, timestamp: -1}, {offset: 0}]}]",
	} {
		f.Add(seed)
	}
	cfg := config.Default()
	cfg.Pipeline.Decode.Value.Format, cfg.Pipeline.Encode.Value.Format = "json", "json"
	tester, err := New(cfg)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "cases.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := Read(path)
		if err != nil {
			if !strings.Contains(err.Error(), path) {
				t.Fatalf("%v: in which file?", err)
			}
			return
		}
		for i := range file.Cases {
			c := &file.Cases[i]
			if c.Name == "" || len(c.Input) == 0 {
				t.Fatalf("took a case without name or input: %+v", c)
			}
			for j := range c.Input {
				value, err := appendJSON(nil, &c.Input[j].Value)
				if err == nil && !isNull(&c.Input[j].Value) && !json.Valid(value) {
					t.Fatalf("%s is not JSON", value)
				}
			}
			_, _ = tester.Run(t.Context(), c) // an error or differences, but no panic
		}
	})
}
