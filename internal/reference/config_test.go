package reference

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestValidate(t *testing.T) {
	t.Parallel()
	file, directory := write(t, "ads.csv", "ad_id\n1\n"), t.TempDir()
	other := write(t, "ads.txt", "")
	for name, test := range map[string]struct {
		change func(c *Config)
		want   []string
	}{
		"good":           {func(*Config) {}, nil},
		"read only once": {func(c *Config) { c.Reload = 0 }, nil},
		"format":         {func(c *Config) { c.File, c.Format = other, "jsonl" }, nil},
		"nothing": {func(c *Config) { *c = Config{} }, []string{
			"join.file: is missing; write the CSV or JSON-lines file that has the rows",
			"join.key: is missing; write the column that the rows are found by",
			`join.max_bytes: "0" must be above 0; write 64MiB`,
		}},
		"everything wrong": {func(c *Config) { *c = Config{File: directory, Key: "k", Format: "xml", Reload: -1e9, MaxBytes: -1} }, []string{
			`join.file: "` + directory + `" is not a regular file; write the path of one`,
			`join.format: "xml" is not a format; write csv or jsonl`,
			`join.reload: "-1s" must not be negative; write 10s, or 0 to read the file only once`,
			`join.max_bytes: "-1B" must be above 0; write 64MiB`,
		}},
		"no such file": {func(c *Config) { c.File += ".gz" }, []string{
			`join.file: "` + file + `.gz" does not exist; write the path of a file that does`,
			"join.format: is missing, and the file's extension does not tell it; write csv or jsonl",
		}},
		"not a directory": {func(c *Config) { c.File += "/x.csv" }, []string{
			`join.file: "` + file + `/x.csv" cannot be looked at; mend its permissions, or write another path`,
		}},
		"too large": {func(c *Config) { c.MaxBytes = 7 }, []string{
			`join.file: "` + file + `" is larger than max_bytes; raise max_bytes, or make the file smaller`,
		}},
	} {
		c := DefaultConfig()
		c.File, c.Key = file, "ad_id"
		test.change(&c)
		var got []string
		for _, fault := range c.Validate("join") {
			got = append(got, fault.Error())
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got\n%q\nwant\n%q", name, got, test.want)
		}
	}
}

func TestFormatByExtension(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"a.csv": "csv", "a.CSV": "csv", "a.jsonl": "jsonl", "a.ndjson": "jsonl", "a.json": "", "csv": "", "a.csv.gz": "",
	} {
		if got := (Config{File: file}).format(); got != want {
			t.Errorf("%s: %q", file, got)
		}
	}
	if got := (Config{File: "a.csv", Format: "jsonl"}).format(); got != "jsonl" {
		t.Error(got)
	}
}
