package filesink

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAnOpenFileIsCutBackToItsLastLineAndAdopted(t *testing.T) {
	for _, test := range []struct{ name, content, want string }{
		{"torn", "one\ntwo\nthr", "one\ntwo\n"},
		{"whole", "one\n", "one\n"},
		{"only a torn line", "on", ""},
		{"empty", "", ""},
		{"a torn line longer than the step of the search", "one\n" + strings.Repeat("x", 200_000), "one\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			directory := t.TempDir()
			const name = "streamer-host-20261122T090000Z-000007.jsonl"
			others := []string{"streamer-host2-20261122T090000Z-000009.jsonl.open", "notes.jsonl.open"}
			for _, file := range append(others, name+".open") {
				if err := os.WriteFile(filepath.Join(directory, file), []byte(test.content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			s := start(t, directory)
			write(t, s, lineBatch(1, "next"))
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(filepath.Join(directory, name))
			if want := test.want + "next\n"; err != nil || string(got) != want {
				t.Errorf("the adopted file has %.40q, %v; want %q", got, err, want)
			}
			for _, file := range others {
				if got, err := os.ReadFile(filepath.Join(directory, file)); err != nil || string(got) != test.content {
					t.Errorf("%s, which is not this instance's, was touched: %.40q, %v", file, got, err)
				}
			}
		})
	}
}
