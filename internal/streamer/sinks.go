package streamer

import (
	"context"
	"fmt"

	"streamer/internal/config"
	"streamer/internal/sink"
	"streamer/internal/sink/dropsink"
	"streamer/internal/sink/filesink"
	"streamer/internal/sink/stdoutsink"
)

// openSink makes the configured sink, ready to be written to.
func (s *Service) openSink(ctx context.Context) (sink.Sink, error) {
	var (
		out sink.Sink
		err error
	)
	switch s.cfg.Sink.Type {
	case config.SinkKafka:
		out, err = s.openKafkaSink(ctx)
	case config.SinkFile:
		out, err = filesink.New(ctx, s.cfg.Sink.File, s.log)
	case config.SinkStdout:
		out = stdoutsink.New(s.opts.Stdout)
	case config.SinkDrop:
		out = dropsink.New()
	default:
		err = fmt.Errorf("sink.type: %q is no sink; write kafka, file, stdout or drop", s.cfg.Sink.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("open sink %s: %w", s.cfg.Sink.Type, err)
	}
	return out, nil
}
