package streamer

import (
	"context"
	"log/slog"
)

// demoted lowers what the Kafka client calls news by one level: each step of a rebalance, each metadata update. At level
// info it would bury ours; its warnings and errors stay what they are.
type demoted struct{ slog.Handler }

func clientLog(log *slog.Logger) *slog.Logger { return slog.New(demoted{log.Handler()}) }

const oneLevel = slog.LevelInfo - slog.LevelDebug

func lowered(level slog.Level) slog.Level {
	if level < slog.LevelWarn {
		return level - oneLevel
	}
	return level
}

// Enabled implements [slog.Handler].
func (d demoted) Enabled(ctx context.Context, level slog.Level) bool {
	return d.Handler.Enabled(ctx, lowered(level))
}

// Handle implements [slog.Handler].
func (d demoted) Handle(ctx context.Context, r slog.Record) error {
	r.Level = lowered(r.Level)
	return d.Handler.Handle(ctx, r) //nolint:wrapcheck // a handler's error is the handler's
}

// WithAttrs implements [slog.Handler].
func (d demoted) WithAttrs(attrs []slog.Attr) slog.Handler {
	return demoted{d.Handler.WithAttrs(attrs)}
}

// WithGroup implements [slog.Handler].
func (d demoted) WithGroup(name string) slog.Handler { return demoted{d.Handler.WithGroup(name)} }
