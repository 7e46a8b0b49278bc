package filesink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"streamer/internal/record"
	"streamer/internal/sink"
)

// chunkBytes is how many bytes of lines are gathered for one write: all that the sink copies of a batch.
const chunkBytes = 1 << 20

var errClosed = errors.New("file sink is closed")

// Sink writes lines to files in one directory.
type Sink struct {
	rotate Rotate
	disk   disk
	naming naming
	logger *slog.Logger
	lock   *os.File

	// turn is held by whoever works on the fields below. A mutex would not let a Write give up when its context ends.
	turn    chan struct{}
	current *openFile // nil until there is a line to write
	next    uint64    // number of the next file
	chunk   []byte
	timer   *time.Timer // rotates current when no batch comes to do it
	closed  bool
	// left is the disk call that an earlier Write left behind when its context ended; nil if there is none.
	left chan error
}

// New creates the directory if it is missing, takes the instance's lock and adopts the file that an earlier process of
// this instance left open. The lock fails if another process has the same directory and instance.
func New(ctx context.Context, cfg Config, logger *slog.Logger) (*Sink, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("open file sink: %w", err)
	}
	instance, err := cfg.instance()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cfg.Directory, directoryMode); err != nil {
		return nil, fmt.Errorf("create sink.file.directory: %w", explain(err))
	}
	names := naming{directory: cfg.Directory, stem: cfg.Prefix + "-" + instance + "-"}
	held, err := lock(names.lockPath())
	if err != nil {
		return nil, fmt.Errorf("open sink.file.directory: %w", explain(err))
	}
	s, err := open(cfg.Rotate, names, osDisk{}, logger)
	if err != nil {
		_ = held.Close()
		return nil, fmt.Errorf("open sink.file.directory: %w", explain(err))
	}
	s.lock = held
	return s, nil
}

// open makes a sink on any disk, without a lock.
func open(rotate Rotate, names naming, on disk, logger *slog.Logger) (*Sink, error) {
	s := &Sink{rotate: rotate, disk: on, naming: names, logger: logger, turn: make(chan struct{}, 1), next: 1}
	if err := s.adopt(); err != nil {
		if s.current != nil {
			_ = s.current.Close()
		}
		return nil, err
	}
	s.arm()
	return s, nil
}

// Write appends the batch's lines to the open file and syncs it. A batch is never spread over two files, and of a batch
// that was not acknowledged nothing stays.
func (s *Sink) Write(ctx context.Context, batch *record.Batch) error {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("write lines: %w", err)
	}
	if s.closed {
		return &sink.PermanentError{Err: errClosed}
	}
	if err := s.prepare(ctx); err != nil {
		return err
	}
	size, err := s.append(ctx, batch)
	if err != nil {
		return errors.Join(err, s.undo(ctx))
	}
	if size == 0 {
		return nil
	}
	if err := s.do(ctx, s.current.Sync); err != nil {
		return s.syncFailed(ctx, err)
	}
	s.current.durable += size
	s.current.dirty = false
	if s.due() {
		s.rotateNow(ctx)
	}
	return nil
}

// prepare brings the open file back to its acknowledged length after a Write that failed or was left behind.
func (s *Sink) prepare(ctx context.Context) error {
	if s.left != nil {
		select {
		case err := <-s.left:
			s.left = nil
			s.cameBack(err)
		case <-ctx.Done():
			return fmt.Errorf("wait for the disk: %w", context.Cause(ctx))
		}
	}
	return s.undo(ctx)
}

// cameBack notes the end of a call that was left behind. Whatever came of it, the file is cut back after it.
func (s *Sink) cameBack(err error) {
	s.logger.Info("the disk answers again", slog.Any("error", err))
}

// append writes the batch's lines, unsynced, and returns their size in bytes. Once a value cannot be a line it only looks for
// more of them, so that the caller learns of all at once; what it wrote until then does not stay.
func (s *Sink) append(ctx context.Context, batch *record.Batch) (int64, error) {
	var size int64
	var refused []sink.Rejection
	if s.chunk = s.chunk[:0]; cap(s.chunk) > 4*chunkBytes {
		s.chunk = nil // one huge value must not be held in memory for ever
	}
	for _, block := range batch.Blocks {
		for i := range block.Len() {
			out := block.Output(i)
			if out.Refused {
				continue
			}
			chunk, err := appendLine(s.chunk, out.Value)
			if err != nil {
				refused = append(refused, sink.Reject(block, i, err))
			}
			if len(refused) > 0 {
				s.chunk = chunk[:0]
				continue
			}
			s.chunk = chunk
			if len(s.chunk) < chunkBytes {
				continue
			}
			size += int64(len(s.chunk))
			if err := s.flush(ctx); err != nil {
				return size, err
			}
		}
	}
	if len(refused) > 0 {
		return 0, sink.RejectAll(refused)
	}
	size += int64(len(s.chunk))
	return size, s.flush(ctx)
}

func (s *Sink) flush(ctx context.Context) error {
	if len(s.chunk) == 0 {
		return nil
	}
	if err := s.begin(ctx); err != nil {
		return err
	}
	s.current.dirty = true
	f, chunk := s.current.file, s.chunk
	err := s.do(ctx, func() error {
		if _, err := f.Write(chunk); err != nil {
			return fmt.Errorf("write lines: %w", err)
		}
		return nil
	})
	s.chunk = s.chunk[:0]
	return err
}

// do runs one call to the disk and returns its failure, classified. If ctx ends first the call is left behind: it goes
// on, and prepare waits for it before anything else touches the file.
func (s *Sink) do(ctx context.Context, call func() error) error {
	done := make(chan error, 1)
	go func() { done <- call() }() // ends with the call
	select {
	case err := <-done:
		if err != nil {
			return classify(err)
		}
		return nil
	case <-ctx.Done():
		s.left = done
		return fmt.Errorf("wait for the disk: %w", context.Cause(ctx))
	}
}

// Close gives the open file its final name and lets go of the lock. What a failed Write left is cut off first. If a call
// to the disk still hangs, the file keeps its open name, for the next process to adopt, and the lock ends with this one.
func (s *Sink) Close() error {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	if s.closed {
		return nil
	}
	s.closed = true
	s.disarm()
	if s.left != nil {
		select {
		case err := <-s.left:
			s.cameBack(err)
		default:
			return nil
		}
	}
	var failed error
	if s.current != nil {
		failed = s.finish(s.current)
		s.current = nil
	}
	if s.lock != nil {
		failed = errors.Join(failed, s.lock.Close())
	}
	if failed != nil {
		return fmt.Errorf("close file sink: %w", failed)
	}
	return nil
}
