package config_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"streamer/internal/config"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGood holds every *.good.yaml to the effective configuration and warnings beside it. Lines `# env NAME=VALUE` and
// `# set KEY=VALUE` in a file give the rest of the input.
func TestGood(t *testing.T) {
	t.Parallel()
	eachFile(t, "*.good.yaml", func(t *testing.T, path string) {
		env, flags := inputs(t, path)
		cfg, origins, warnings, err := config.Load(path, env, flags)
		if err != nil {
			t.Fatalf("unexpected faults:\n%v", err)
		}
		text, err := config.Effective(cfg, origins)
		if err != nil {
			t.Fatal(err)
		}
		for _, warning := range warnings {
			text += "warning: " + warning.String() + "\n"
		}
		compareGolden(t, strings.TrimSuffix(path, ".yaml")+".golden", text)
	})
}

// TestBad holds every *.bad.yaml to the list of faults beside it.
func TestBad(t *testing.T) {
	t.Parallel()
	eachFile(t, "*.bad.yaml", func(t *testing.T, path string) {
		env, flags := inputs(t, path)
		_, _, _, err := config.Load(path, env, flags)
		faults, ok := errors.AsType[config.Faults](err)
		if !ok {
			t.Fatalf("got %v; want faults", err)
		}
		compareGolden(t, strings.TrimSuffix(path, ".yaml")+".golden", faults.Error()+"\n")
	})
}

func eachFile(t *testing.T, pattern string, check func(t *testing.T, path string)) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files match %s: %v", pattern, err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			check(t, path)
		})
	}
}

func inputs(t *testing.T, path string) (env, flags []string) {
	t.Helper()
	for line := range strings.Lines(read(t, path)) {
		if variable, found := strings.CutPrefix(strings.TrimSpace(line), "# env "); found {
			env = append(env, variable)
		}
		if set, found := strings.CutPrefix(strings.TrimSpace(line), "# set "); found {
			flags = append(flags, set)
		}
	}
	return env, flags
}

func compareGolden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if want := read(t, path); got != want {
		t.Errorf("differs from %s (run with -update to accept)\n--- got\n%s--- want\n%s", path, got, want)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
