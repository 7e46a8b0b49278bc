package service

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The environment variables that choose the binary.
const (
	envRace   = "STREAMER_TEST_RACE"
	envBinary = "STREAMER_TEST_BINARY"
)

// Binary is the program under test.
type Binary struct {
	Path string
	// Root is the repository's folder.
	Root string
}

// Build builds the binary into dir, or takes the one that STREAMER_TEST_BINARY names. It is not built with the race
// detector unless STREAMER_TEST_RACE is 1: that makes the service so slow that load tests test little else.
func Build(ctx context.Context, dir string) (*Binary, error) {
	if path := os.Getenv(envBinary); path != "" {
		root, err := moduleRoot(ctx)
		return &Binary{Path: path, Root: root}, err
	}
	return build(ctx, dir)
}

// BuildChanged builds the binary into dir from other sources: files by their path below the repository's folder.
func BuildChanged(ctx context.Context, dir string, files map[string][]byte) (*Binary, error) {
	root, err := moduleRoot(ctx)
	if err != nil {
		return nil, err
	}
	var overlay struct {
		Replace map[string]string `json:"Replace"` //nolint:tagliatelle // as the go command has it
	}
	overlay.Replace = map[string]string{}
	for name, content := range files {
		changed := filepath.Join(dir, strings.ReplaceAll(name, "/", "_"))
		if err := os.WriteFile(changed, content, 0o600); err != nil {
			return nil, fmt.Errorf("write changed source: %w", err)
		}
		overlay.Replace[filepath.Join(root, name)] = changed
	}
	text, err := json.Marshal(overlay)
	if err != nil {
		return nil, fmt.Errorf("write overlay: %w", err)
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, text, 0o600); err != nil {
		return nil, fmt.Errorf("write overlay: %w", err)
	}
	return build(ctx, dir, "-overlay", list)
}

func build(ctx context.Context, dir string, flags ...string) (*Binary, error) {
	root, err := moduleRoot(ctx)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "streamer")
	args := append([]string{"build", "-trimpath", "-o", path}, flags...)
	if os.Getenv(envRace) == "1" {
		args = append(args, "-race")
	}
	//nolint:gosec // the arguments are a path of ours and fixed flags
	cmd := exec.CommandContext(ctx, "go", append(args, "./cmd/streamer")...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build streamer: %w\n%s", err, out)
	}
	return &Binary{Path: path, Root: root}, nil
}

func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(out))), nil
}

// Output is what a command printed, and its exit code.
type Output struct {
	Stdout, Stderr string
	Code           int
}

// Command runs the binary to its end.
func (b *Binary) Command(t *testing.T, args ...string) Output {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	//nolint:gosec // the binary under test
	cmd := exec.CommandContext(ctx, b.Path, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Env = environment(nil)
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatalf("run streamer %s: %v", strings.Join(args, " "), err)
	}
	return Output{Stdout: stdout.String(), Stderr: stderr.String(), Code: cmd.ProcessState.ExitCode()}
}

// environment is ours without STREAMER_*, so that a variable of the developer's shell changes no test.
func environment(own []string) []string {
	var env []string
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "STREAMER_") {
			env = append(env, pair)
		}
	}
	return append(env, own...)
}
