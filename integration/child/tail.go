package child

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
)

// tailLimit bounds what is kept of one stream in bytes. A service that logs in a loop must not fill the memory of the
// machine that tests it.
const tailLimit = 4 << 20

// Tail keeps the end of a stream and lets readers wait for a line. The mutex is there because the child's output is
// copied by os/exec in a goroutine of its own while tests read.
type Tail struct {
	mu     sync.Mutex
	buf    []byte
	closed bool
	// changed is closed and replaced at every write.
	changed chan struct{}
}

// NewTail makes an empty tail.
func NewTail() *Tail { return &Tail{changed: make(chan struct{})} }

// Write keeps p; it never fails.
func (t *Tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - tailLimit; over > 0 {
		cut := over
		if newline := bytes.IndexByte(t.buf[over:], '\n'); newline >= 0 {
			cut += newline + 1
		}
		t.buf = append(t.buf[:0], t.buf[cut:]...)
	}
	t.wake()
	return len(p), nil
}

// Close says that nothing follows.
func (t *Tail) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	t.wake()
}

func (t *Tail) wake() {
	close(t.changed)
	t.changed = make(chan struct{})
}

// String returns what is kept.
func (t *Tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.buf)
}

// Last returns the last n lines.
func (t *Tail) Last(n int) string {
	lines := strings.Split(strings.TrimRight(t.String(), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// WaitLine returns the first kept line that holds text, waiting for it until the stream or ctx ends.
func (t *Tail) WaitLine(ctx context.Context, text string) (string, error) {
	for {
		line, found, closed, changed := t.find(text)
		if found {
			return line, nil
		}
		if closed {
			return "", fmt.Errorf("wait for %q: the program ended without it", text)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return "", fmt.Errorf("wait for %q: %w", text, context.Cause(ctx))
		}
	}
}

func (t *Tail) find(text string) (line string, found, closed bool, changed <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := bytes.Index(t.buf, []byte(text))
	if at < 0 {
		return "", false, t.closed, t.changed
	}
	start := bytes.LastIndexByte(t.buf[:at], '\n') + 1
	end := bytes.IndexByte(t.buf[at:], '\n')
	if end < 0 { // the rest of the line is still to come
		return "", t.closed, t.closed, t.changed
	}
	return string(t.buf[start : at+end]), true, false, t.changed
}
