package streamer

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// quieted keeps the Kafka client's log in proportion. What it calls news (each step of a rebalance, each metadata update)
// goes down by one level, or it would bury ours at info. A warning that repeats goes to debug for a while: with a broker
// away the client warns several times a second for as long as that lasts, while our own log says it once.
type quieted struct {
	slog.Handler

	seen *seen
}

func clientLog(log *slog.Logger) *slog.Logger {
	return slog.New(quieted{log.Handler(), &seen{last: make(map[string]time.Time)}})
}

// repeatAfter is how long the same warning stays at debug.
const repeatAfter = 10 * time.Second

// seen remembers when each of the client's few dozen messages was last let through.
type seen struct {
	mu   sync.Mutex // the client logs from many goroutines
	last map[string]time.Time
}

// again reports whether the message was let through less than repeatAfter before now, and if not, lets it through.
func (s *seen) again(message string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last, ok := s.last[message]; ok && now.Sub(last) < repeatAfter {
		return true
	}
	s.last[message] = now
	return false
}

const oneLevel = slog.LevelInfo - slog.LevelDebug

func lowered(level slog.Level) slog.Level {
	if level < slog.LevelWarn {
		return level - oneLevel
	}
	return level
}

// Enabled implements [slog.Handler].
func (q quieted) Enabled(ctx context.Context, level slog.Level) bool {
	return q.Handler.Enabled(ctx, lowered(level))
}

// Handle implements [slog.Handler].
func (q quieted) Handle(ctx context.Context, r slog.Record) error {
	r.Level = lowered(r.Level)
	if r.Level >= slog.LevelWarn && q.seen.again(r.Message, r.Time) {
		r.Level = slog.LevelDebug
		if !q.Handler.Enabled(ctx, r.Level) {
			return nil
		}
	}
	return q.Handler.Handle(ctx, r) //nolint:wrapcheck // a handler's error is the handler's
}

// WithAttrs implements [slog.Handler].
func (q quieted) WithAttrs(attrs []slog.Attr) slog.Handler {
	return quieted{q.Handler.WithAttrs(attrs), q.seen}
}

// WithGroup implements [slog.Handler].
func (q quieted) WithGroup(name string) slog.Handler {
	return quieted{q.Handler.WithGroup(name), q.seen}
}
