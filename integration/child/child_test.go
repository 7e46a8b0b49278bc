//go:build unix

package child_test

import (
	"context"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"streamer/integration/child"
)

func start(t *testing.T, script string) *child.Process {
	t.Helper()
	p, err := child.Start(exec.CommandContext(t.Context(), "sh", "-c", script))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Kill(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func TestExitCodeAndOutput(t *testing.T) {
	t.Parallel()
	p := start(t, "echo out; echo err one >&2; echo err two >&2; exit 7")
	code, err := p.Wait(t.Context())
	if err != nil || code != 7 {
		t.Fatalf("exit code %d, %v; want 7", code, err)
	}
	if got := p.Stdout.String(); got != "out\n" {
		t.Errorf("stdout %q", got)
	}
	if got := p.Stderr.Last(1); got != "err two" {
		t.Errorf("last line of stderr %q", got)
	}
}

// TestKillReachesTheGroup would catch a kill that leaves grandchildren: they would hold the ports of the next test.
func TestKillReachesTheGroup(t *testing.T) {
	t.Parallel()
	p := start(t, "sleep 1000 & echo ready >&2; wait")
	if _, err := p.Stderr.WaitLine(t.Context(), "ready"); err != nil {
		t.Fatal(err)
	}
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Wait(t.Context()); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("Wait after kill: %v", err)
	}
	// The zombie is reaped by init at some time; until then the group exists but nothing runs in it.
	deadline := time.Now().Add(10 * time.Second)
	for syscall.Kill(-p.PID(), 0) == nil {
		if time.Now().After(deadline) {
			t.Fatal("the process group outlives the kill")
		}
	}
}

func TestWaitLineEnds(t *testing.T) {
	t.Parallel()
	p := start(t, "echo started >&2; read -r _")
	line, err := p.Stderr.WaitLine(t.Context(), "start")
	if err != nil || line != "started" {
		t.Fatalf("line %q, %v", line, err)
	}
	if _, err := p.Stderr.WaitLine(t.Context(), "never"); err == nil {
		t.Error("a line that never came was found")
	}

	sleeping := start(t, "sleep 1000")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sleeping.Stderr.WaitLine(ctx, "never"); err == nil {
		t.Error("WaitLine outlived its context")
	}
	if rss, err := sleeping.RSS(); err != nil || rss <= 0 {
		t.Errorf("RSS %d, %v", rss, err)
	}
}

func TestTailIsBounded(t *testing.T) {
	t.Parallel()
	tail := child.NewTail()
	line := []byte(strings.Repeat("x", 1023) + "\n")
	for range 8 << 10 {
		if _, err := tail.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(tail.String()); n > 4<<20 || n < 3<<20 {
		t.Errorf("%d bytes kept", n)
	}
}
