package reference

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"streamer/internal/setting"
)

// The formats of files.
const (
	formatCSV       = "csv"
	formatJSONLines = "jsonl"
)

// Config is the part of a join step that says which table it looks into.
type Config struct {
	// File that the rows are read from.
	File string `yaml:"file"`
	// Key is the column, or field, whose values the rows are found by.
	Key string `yaml:"key"`
	// Format is csv or jsonl; empty means by the file's extension: .csv, .jsonl or .ndjson.
	Format string `yaml:"format"`
	// Reload is how often the file is looked at; 0 means never again.
	Reload setting.Duration `yaml:"reload"`
	// MaxBytes is how large the file may be. In memory the rows take a few times as much.
	MaxBytes setting.Bytes `yaml:"max_bytes"`
}

// DefaultConfig leaves file and key to the user: up to 64 MiB, looked at every ten seconds.
func DefaultConfig() Config {
	return Config{Reload: setting.Duration(10 * time.Second), MaxBytes: 64 << 20}
}

// Validate lists what is wrong; it looks whether the file is there, not into it. path is where the settings stand in the
// configuration, such as pipeline.steps[1].join; each fault's field starts with it.
func (c Config) Validate(path string) []setting.Fault {
	var faults []setting.Fault
	fault := func(key, value, remedy string) {
		faults = append(faults, setting.Fault{Field: path + "." + key, Value: value, Remedy: remedy})
	}
	if c.File == "" {
		fault("file", "", "is missing; write the CSV or JSON-lines file that has the rows")
	} else if problem := c.fileProblem(); problem != "" {
		fault("file", c.File, problem)
	}
	if c.Key == "" {
		fault("key", "", "is missing; write the column that the rows are found by")
	}
	formats := []string{formatCSV, formatJSONLines}
	switch {
	case c.Format != "" && !slices.Contains(formats, c.Format):
		fault("format", c.Format, "is not a format; write csv or jsonl")
	case c.File != "" && c.format() == "":
		fault("format", "", "is missing, and the file's extension does not tell it; write csv or jsonl")
	}
	if c.Reload < 0 {
		fault("reload", c.Reload.String(), "must not be negative; write 10s, or 0 to read the file only once")
	}
	if c.MaxBytes <= 0 {
		fault("max_bytes", c.MaxBytes.String(), "must be above 0; write 64MiB")
	}
	return faults
}

// fileProblem says why the file cannot be read, as far as that shows without opening it.
func (c Config) fileProblem() string {
	info, err := os.Stat(c.File)
	switch {
	case os.IsNotExist(err):
		return "does not exist; write the path of a file that does"
	case err != nil:
		return "cannot be looked at; mend its permissions, or write another path"
	case !info.Mode().IsRegular():
		return "is not a regular file; write the path of one"
	case c.MaxBytes > 0 && info.Size() > int64(c.MaxBytes):
		return "is larger than max_bytes; raise max_bytes, or make the file smaller"
	}
	return ""
}

// format returns Format or what the file's extension stands for; empty if that is unknown.
func (c Config) format() string {
	if c.Format != "" {
		return c.Format
	}
	switch strings.ToLower(filepath.Ext(c.File)) {
	case ".csv":
		return formatCSV
	case ".jsonl", ".ndjson":
		return formatJSONLines
	}
	return ""
}
