package demo

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"streamer/internal/admin"
)

const (
	drawEvery  = 200 * time.Millisecond
	printEvery = 2 * time.Second
)

// display shows frames: in place on a terminal, else a line every printEvery.
type display struct {
	out      io.Writer
	terminal *terminal // nil if out is none
	recorder recorder
	warning  lastWarning
	logger   *slog.Logger // for the service: into the picture on a terminal, else to standard error
	admin    string
	stopping atomic.Bool
}

func newDisplay(o Options) *display {
	d := &display{out: o.Stdout, terminal: openTerminal(o.Stdout)}
	if d.terminal != nil {
		d.logger = warnings(&d.warning)
	} else {
		d.logger = warnings(o.Stderr)
	}
	return d
}

// run shows a frame at each tick, and one more when ctx ends: the picture that stays.
func (d *display) run(ctx context.Context, now func() (Frame, admin.Status)) error {
	every := printEvery
	if d.terminal != nil {
		every = drawEvery
	}
	ticks := time.NewTicker(every)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return d.show(now())
		case <-ticks.C:
		}
		if err := d.show(now()); err != nil {
			return err
		}
	}
}

func (d *display) show(frame Frame, status admin.Status) error {
	d.recorder.add(&frame, time.Now(), status)
	frame.Admin, frame.Warning, frame.Stopping = d.admin, d.warning.String(), d.stopping.Load()
	if d.terminal != nil {
		return d.terminal.draw(frame)
	}
	if _, err := fmt.Fprintln(d.out, frame.Line()); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}
