package filesink

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

// A disk that hangs must not hold up the stop, and what it does later must not tear what is acknowledged.
func TestAHungDiskDoesNotHoldTheContext(t *testing.T) {
	for _, operation := range []string{"create", "write", "sync"} {
		t.Run(operation, func(t *testing.T) {
			d := newMemDisk(4)
			s, err := open(Rotate{}, testNaming(), d, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			hung, release := make(chan struct{}), make(chan struct{})
			d.fault = func(op string) error {
				if op == operation {
					close(hung)
					<-release
				}
				return nil
			}
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				<-hung
				cancel()
			}()
			if err := s.Write(ctx, lineBatch(1, "one", "two")); !errors.Is(err, context.Canceled) {
				t.Fatalf("Write = %v, want context.Canceled", err)
			}
			if err := s.Write(ctx, lineBatch(1, "one")); !errors.Is(err, context.Canceled) {
				t.Fatalf("Write while the disk hangs = %v, want context.Canceled", err)
			}
			close(release)
			// The hung call still holds the model's lock until it returns; only then may the fault be taken out.
			d.mu.Lock()
			d.fault = func(string) error { return nil }
			d.mu.Unlock()
			write(t, s, lineBatch(1, "one", "two"))
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s, err = open(Rotate{}, testNaming(), d, slog.New(slog.DiscardHandler))
			if err != nil || s.Close() != nil {
				t.Fatal(err)
			}
			if lines, torn := d.lines(); strings.Join(lines, " ") != "one two" || torn != nil {
				t.Errorf("the files have %q, torn %v; want each line once", lines, torn)
			}
		})
	}
}
