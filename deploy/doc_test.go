// Package deploy_test holds what others run Streamer with to the program: dashboard and alerts to the metrics' table, the
// configuration in manifests to the real loader, the manifests to the chart that they are rendered from. Only tests live here.
//
// What needs a tool (promtool, helm, systemd-analyze) runs where the tool is found; STREAMER_TEST_TOOLS=helm,promtool makes it
// an error if one of them is not. `make deploy-check` is that.
package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// envTools names the tools that must be there.
const envTools = "STREAMER_TEST_TOOLS"

// tool finds a program as make builds it, bin/NAME or bin/NAME-VERSION, or on PATH: another version may render other spaces.
func tool(t *testing.T, name string) string {
	t.Helper()
	built, err := filepath.Glob("../bin/" + name + "-v*")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("../bin/" + name); err == nil {
		built = append(built, "../bin/"+name)
	}
	if len(built) > 0 {
		path, err := filepath.Abs(slices.Max(built))
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	if slices.Contains(strings.Split(os.Getenv(envTools), ","), name) {
		t.Fatalf("%s is not there, and %s wants it", name, envTools)
	}
	t.Skipf("NOTICE: not checked, %s is not there; make deploy-check", name)
	return ""
}

// run returns what a tool prints on standard output, and fails with all that it printed if it fails.
func run(t *testing.T, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", program, strings.Join(args, " "), err, out, stderr.String())
	}
	return string(out)
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
