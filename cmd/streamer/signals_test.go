package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"syscall"
	"testing"
)

// The first signal only cancels; the second ends the process with 130.
func TestSecondSignalExitsAtOnce(t *testing.T) {
	t.Parallel()
	signals, codes := make(chan os.Signal), make(chan int)
	ctx, cancel := context.WithCancel(t.Context())
	stderr := &bytes.Buffer{}
	go drainThenExit(signals, cancel, stderr, func(code int) { codes <- code })
	if ctx.Err() != nil {
		t.Fatal("drains before a signal")
	}
	signals <- syscall.SIGTERM
	<-ctx.Done()
	signals <- os.Interrupt
	if code := <-codes; code != exitInterrupted {
		t.Errorf("exit code %d; want %d", code, exitInterrupted)
	}
	if text := stderr.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "delivered again") {
		t.Errorf("stderr says %q", text)
	}
}
