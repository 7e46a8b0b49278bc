package filesink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"streamer/internal/sink"
)

// begin opens a new file if none is open.
func (s *Sink) begin(ctx context.Context) error {
	if s.current != nil {
		return nil
	}
	name := s.naming.make(time.Now(), s.next)
	made := make(chan file, 1)
	err := s.do(ctx, func() error {
		f, err := s.disk.create(s.naming.openPath(name))
		if err != nil {
			return err
		}
		// Without this the file, lines and all, may be gone after a crash although it was synced itself.
		if err := s.disk.syncDirectory(s.naming.directory); err != nil {
			return errors.Join(err, f.Close(), s.disk.remove(s.naming.openPath(name)))
		}
		made <- f
		return nil
	})
	// The number is used up even if this failed: what became of the file is not known if the call was left behind.
	s.next++
	if err != nil {
		return err
	}
	s.current = &openFile{file: <-made, name: name, opened: time.Now()}
	s.arm()
	return nil
}

// undo cuts the open file back to its acknowledged length. If that fails the file is given up: it keeps its open name,
// and the next start cuts it back to whole lines.
func (s *Sink) undo(ctx context.Context) error {
	if s.current == nil || !s.current.dirty || s.left != nil {
		return nil
	}
	f := s.current
	err := s.do(ctx, func() error { return f.Truncate(f.durable) })
	switch {
	case err == nil:
		f.dirty = false
		return nil
	case s.left != nil:
		return err
	default:
		s.giveUp(f, err)
		return nil
	}
}

// syncFailed deals with a sync that failed: what it was for may be lost whatever later syncs say, so the file ends at its
// acknowledged length, and the retried batch goes to a new one.
func (s *Sink) syncFailed(ctx context.Context, failure error) error {
	if s.left != nil { // not failed, left behind: prepare cuts it back
		return failure
	}
	f := s.current
	err := s.do(ctx, func() error { return s.finish(f) })
	switch {
	case s.left != nil: // finish goes on by itself and ends with the file closed
		s.logger.Warn("gave up file after a failed sync", slog.String("file", s.naming.openPath(f.name)))
	case err != nil:
		s.giveUp(f, err)
	}
	s.drop()
	if _, permanent := errors.AsType[*sink.PermanentError](failure); permanent {
		return failure
	}
	return &sink.RetryableError{Err: fmt.Errorf("sync file, writing to a new one: %w", failure)}
}

// finish cuts the file back to its acknowledged length, gives it its final name, makes that durable and closes it. An
// empty file is removed. It is only about f, so it may be left behind.
func (s *Sink) finish(f *openFile) error {
	if f.dirty {
		if err := f.Truncate(f.durable); err != nil {
			return errors.Join(fmt.Errorf("cut file: %w", err), f.Close())
		}
		// Without this sync a crash could bring the cut-off bytes back, under the final name.
		if err := f.Sync(); err != nil {
			return errors.Join(fmt.Errorf("sync file: %w", err), f.Close())
		}
	}
	open := s.naming.openPath(f.name)
	if f.durable == 0 {
		return errors.Join(f.Close(), s.disk.remove(open))
	}
	if err := s.disk.rename(open, s.naming.finalPath(f.name)); err != nil {
		return errors.Join(err, f.Close())
	}
	return errors.Join(s.disk.syncDirectory(s.naming.directory), f.Close())
}

// due reports whether the open file has reached one of its bounds.
func (s *Sink) due() bool {
	return (s.rotate.Size > 0 && s.current.durable >= int64(s.rotate.Size)) ||
		(s.rotate.Interval > 0 && time.Since(s.current.opened) >= time.Duration(s.rotate.Interval))
}

// rotateNow finishes the open file. All in it is acknowledged, so a failure is no failure of a batch: the file keeps its
// open name until the next start adopts it.
func (s *Sink) rotateNow(ctx context.Context) {
	f := s.current
	if err := s.do(ctx, func() error { return s.finish(f) }); err != nil {
		s.logger.Error("file keeps its open name until the next start",
			slog.String("file", s.naming.openPath(f.name)), slog.Any("error", err))
	}
	s.drop()
}

// giveUp lets go of a file that could not even be cut.
func (s *Sink) giveUp(f *openFile, err error) {
	s.logger.Error("gave up file; the next start cuts it back to whole lines and gives it its final name",
		slog.String("file", s.naming.openPath(f.name)), slog.Any("error", err))
	_ = f.Close() // closed already, or failed with what was just logged
	s.drop()
}

func (s *Sink) drop() {
	s.current = nil
	s.disarm()
}

// arm starts the timer that rotates the open file when no batch comes to do it.
func (s *Sink) arm() {
	if s.current == nil || s.rotate.Interval == 0 {
		return
	}
	f := s.current
	s.timer = time.AfterFunc(time.Duration(s.rotate.Interval), func() {
		s.turn <- struct{}{}
		defer func() { <-s.turn }()
		// The file may have been rotated while this waited for its turn. A dirty one is the next Write's: it may still
		// be written to.
		if s.current == f && !f.dirty && s.left == nil {
			s.rotateNow(context.Background())
		}
	})
}

func (s *Sink) disarm() {
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
}
