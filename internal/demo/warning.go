package demo

import (
	"io"
	"log/slog"
	"strings"
	"sync"
)

// lastWarning keeps the last line that was logged: on a terminal, log lines would tear the picture. Any goroutine may
// write to it and read it.
type lastWarning struct {
	mu   sync.Mutex
	line string
}

// Write takes one log line; slog's handlers write whole lines.
func (w *lastWarning) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.line = strings.TrimSpace(string(line))
	return len(line), nil
}

func (w *lastWarning) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.line
}

// warnings is a logger that drops everything below a warning, and the time: the picture is about now.
func warnings(out io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{
		Level: slog.LevelWarn,
		ReplaceAttr: func(groups []string, attr slog.Attr) slog.Attr {
			if attr.Key == slog.TimeKey && len(groups) == 0 {
				return slog.Attr{}
			}
			return attr
		},
	}))
}
