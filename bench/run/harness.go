package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"

	"streamer/bench/process"
	"streamer/integration/kafkatest"
)

// harness is one run of the benchmarks.
type harness struct {
	options

	dir            string
	stdout, stderr io.Writer

	limit    string   // path of the limit program
	binaries []binary // the streamers to measure

	broker *kafkatest.Broker
	admin  *kadm.Client
}

// binary is a streamer to measure.
type binary struct{ name, path string }

// start starts the broker: a process, unless the environment says otherwise. A broker in a container would be reached
// through a proxy in this process, which would be what is measured.
func (h *harness) start(ctx context.Context) (err error) {
	if kafkatest.Chosen() {
		h.broker, err = kafkatest.Find(ctx, h.sayf)
	} else {
		h.broker, err = kafkatest.Start(ctx, kafkatest.Process)
	}
	if err != nil {
		return fmt.Errorf("%w; the benchmarks need Java and Maven, or STREAMER_TEST_BROKERS=host:port", err)
	}
	client, err := h.client()
	if err != nil {
		return errors.Join(err, h.broker.Close())
	}
	h.admin = kadm.NewClient(client)
	return nil
}

// sayf tells whoever waits what is going on. Like printf it has no use for a failure to write.
func (h *harness) sayf(format string, args ...any) {
	_, _ = fmt.Fprintf(h.stderr, "bench: "+format+"\n", args...)
}

// printf writes a part of the result.
func (h *harness) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(h.stdout, format+"\n", args...)
}

// describe says what the figures were taken with.
func (h *harness) describe(ctx context.Context) {
	h.printf("%s on %s/%s, %d processors, broker %s on the same ones, %d rounds", runtime.Version(), runtime.GOOS, runtime.GOARCH,
		runtime.NumCPU(), h.broker.Kind, h.runs)
	for _, b := range h.binaries {
		version, err := command(ctx, b.path, "version").Output()
		if err != nil {
			h.sayf("%s has no version: %v", b.name, err)
		}
		h.printf("%s: %s", b.name, strings.TrimSpace(string(version)))
	}
	h.printf("")
}

// file writes a file for a program to read and returns its path.
func (h *harness) file(name, text string) (string, error) {
	path := filepath.Join(h.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return "", fmt.Errorf("write %s: %w", name, err)
	}
	return path, nil
}

// streamerCommand is a streamer's run with the configuration file and a group of its own.
func (h *harness) streamerCommand(ctx context.Context, b binary, config string) *exec.Cmd {
	args := []string{"run", "-c", config, "--set", "source.kafka.group=" + kafkatest.Unique(b.name)}
	for _, pair := range h.set {
		args = append(args, "--set", pair)
	}
	cmd := command(ctx, b.path, args...)
	cmd.Env = withoutSettings(os.Environ())
	return cmd
}

// command makes a command that ends with ctx.
func command(ctx context.Context, path string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, path, args...) //nolint:gosec // programs that we built, and Go and git to build them
}

// withoutSettings leaves out variables that would change what is measured.
func withoutSettings(environment []string) (left []string) {
	for _, pair := range environment {
		if !strings.HasPrefix(pair, "STREAMER_") {
			left = append(left, pair)
		}
	}
	return left
}

// supports returns nil if the binary takes the configuration, else why not.
func (h *harness) supports(ctx context.Context, b binary, config string) error {
	cmd := command(ctx, b.path, "validate", "--offline", "-c", config)
	cmd.Env = withoutSettings(os.Environ())
	return quietly(cmd)
}

// measure runs a program to its end. What it printed is in the error, if there is one.
func measure(cmd *exec.Cmd, records int64) (sample, error) {
	var printed bytes.Buffer
	cmd.Stdout, cmd.Stderr = &printed, &printed
	used, err := process.Run(cmd)
	if err != nil {
		return sample{}, fmt.Errorf("%w\n%s", err, printed.Bytes())
	}
	return sample{records: records, Usage: used}, nil
}
