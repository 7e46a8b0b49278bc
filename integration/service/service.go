package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"streamer/integration/child"
	"streamer/integration/eventually"
	"streamer/integration/loopback"
)

// Patience is how long a test waits for what should take a moment. It is generous, because a machine that runs many
// tests at once is slow, and waiting for a condition costs nothing when it holds.
const Patience = 90 * time.Second

// Service is a running streamer.
type Service struct {
	*child.Process

	// Admin is the base URL of the admin endpoints.
	Admin string
	// ConfigFile is the file that it was started with.
	ConfigFile string
}

// Start runs the service with the configuration, as [Binary.Spawn] does.
func (b *Binary) Start(t *testing.T, config Config, env ...string) *Service {
	t.Helper()
	listen, ok := config["admin.listen"].(string)
	if !ok {
		var err error
		if listen, err = loopback.FreeAddr(t.Context()); err != nil {
			t.Fatal(err)
		}
		config = config.With(Config{"admin.listen": listen})
	}
	file := WriteConfig(t, config)
	process := b.Spawn(t, env, "run", "-c", file)
	return &Service{Process: process, Admin: "http://" + listen, ConfigFile: file}
}

// Spawn starts a command of the binary and does not wait for it. It is killed when the test ends; when the test has failed,
// the end of its log is shown.
func (b *Binary) Spawn(t *testing.T, env []string, args ...string) *child.Process {
	t.Helper()
	// The child outlives the test's context by the clean-up, which ends it.
	//nolint:gosec // the binary under test
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), b.Path, args...)
	cmd.Env = environment(env)
	process, err := child.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := process.Kill(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			const lines = 60
			t.Logf("end of the log of streamer %d:\n%s", process.PID(), process.Stderr.Last(lines))
		}
	})
	return process
}

// WriteConfig writes the configuration to a file of the test and returns its path.
func WriteConfig(t *testing.T, config Config) string {
	t.Helper()
	text, err := config.YAML()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// Ready waits until the service says that it has joined and reaches the brokers.
func (s *Service) Ready(t *testing.T) {
	t.Helper()
	s.Until(t, "readiness", s.IsReady)
}

// Until waits for a condition, and gives up at once when the service has ended.
func (s *Service) Until(t *testing.T, what string, condition func(context.Context) error) {
	t.Helper()
	eventually.Holds(t, Patience, what, func(ctx context.Context) error {
		err := condition(ctx)
		if err != nil && !s.Running() {
			t.Fatalf("streamer ended while the test waited for %s: %v\n%s", what, err, s.Stderr.Last(10)) //nolint:mnd // lines
		}
		return err
	})
}

// Exit waits until the service has ended by itself and returns its exit code.
func (s *Service) Exit(t *testing.T) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	code, err := s.Wait(ctx)
	if err != nil {
		t.Fatalf("wait for streamer's end: %v", err)
	}
	return code
}

// Terminate asks the service to stop and fails the test unless it does so cleanly.
func (s *Service) Terminate(t *testing.T) {
	t.Helper()
	s.Send(t, syscall.SIGTERM)
	if code := s.Exit(t); code != 0 {
		t.Fatalf("streamer ended with %d after SIGTERM, want 0", code)
	}
}

// Send sends a signal.
func (s *Service) Send(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if err := s.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

// Crash kills the service with SIGKILL.
func (s *Service) Crash(t *testing.T) {
	t.Helper()
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
}

// Memory is the resident memory in bytes.
func (s *Service) Memory(t *testing.T) int64 {
	t.Helper()
	rss, err := s.RSS()
	if err != nil {
		t.Fatal(err)
	}
	return rss
}

var errStatus = errors.New("unexpected HTTP status")

// Get returns the body of an admin endpoint, and an error unless it answers 200.
func (s *Service) Get(ctx context.Context, path string) ([]byte, error) {
	const patience = 10 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Admin+path, nil)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", path, err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", path, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if response.StatusCode != http.StatusOK {
		return body, fmt.Errorf("%s: %w %s: %.300s", path, errStatus, response.Status, body)
	}
	return body, nil
}

// IsReady returns nil while /readyz answers that the service has joined and reaches the brokers.
func (s *Service) IsReady(ctx context.Context) error {
	_, err := s.Get(ctx, "/readyz")
	return err
}

// Live returns nil while /livez answers that the service is alive.
func (s *Service) Live(ctx context.Context) error {
	_, err := s.Get(ctx, "/livez")
	return err
}
