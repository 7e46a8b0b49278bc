package stdoutsink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"

	"streamer/internal/record"
	"streamer/internal/sink"
)

// chunkBytes is how much is handed to the writer at a time: large enough that a system call per chunk does not count,
// and all that the sink ever copies of a batch.
const chunkBytes = 64 << 10

// Sink writes lines. It does not own the writer.
type Sink struct {
	out io.Writer
	// chunk has whole lines that were rendered but not yet taken by out.
	chunk []byte
	// pending delivers the end of the write under way; nil if there is none. A pipe that nobody reads blocks its writer
	// without end, so it must be possible to leave a write behind and come back to it.
	pending chan written
	// last is the block that the end of chunk comes from, and lines how many of its outputs are rendered.
	last  *record.Block
	lines int
}

type written struct {
	bytes int
	err   error
}

// New makes a sink over out.
func New(out io.Writer) *Sink { return &Sink{out: out} }

// Write writes the batch's lines. When it is called again after a failure with a batch that still has the block where it
// stopped, it goes on after what was written, so that no line is torn or written twice.
func (s *Sink) Write(ctx context.Context, batch *record.Batch) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("write lines: %w", err)
	}
	if err := s.flush(ctx); err != nil { // the rest of a line that an earlier Write began
		return err
	}
	for _, block := range s.remaining(batch) {
		if block != s.last {
			s.last, s.lines = block, 0
		}
		for s.lines < block.Len() {
			if out := block.Output(s.lines); !out.Refused {
				s.chunk = appendLine(s.chunk, out.Value)
			}
			s.lines++
			if len(s.chunk) < chunkBytes {
				continue
			}
			if err := s.flush(ctx); err != nil {
				return err
			}
		}
	}
	if err := s.flush(ctx); err != nil {
		return err
	}
	s.last = nil
	return nil
}

// Close does nothing: the writer is not the sink's, and what failed to be written is not acknowledged.
func (*Sink) Close() error { return nil }

// remaining is what an earlier Write has not rendered yet: the batch from the block where that stopped, or all of it.
func (s *Sink) remaining(batch *record.Batch) []*record.Block {
	for i, block := range batch.Blocks {
		if block == s.last {
			return batch.Blocks[i:]
		}
	}
	s.last = nil
	return batch.Blocks
}

// appendLine copies the value, so that a write that is left behind does not hold the batch's memory.
func appendLine(chunk, value []byte) []byte {
	if value == nil {
		return append(chunk, "null\n"...)
	}
	return append(append(chunk, value...), '\n')
}

// flush waits until the chunk is written, or ctx ends; then the write goes on and the next flush waits for it.
func (s *Sink) flush(ctx context.Context) error {
	for s.pending != nil || len(s.chunk) > 0 {
		if s.pending == nil {
			s.pending = s.begin()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("write lines: %w", context.Cause(ctx))
		case end := <-s.pending:
			s.pending = nil
			s.chunk = s.chunk[:copy(s.chunk, s.chunk[end.bytes:])]
			if end.err != nil {
				return classify(end.err)
			}
		}
	}
	return nil
}

// begin writes the chunk on a goroutine that ends with the call to the writer. Nothing touches the chunk until then.
func (s *Sink) begin() chan written {
	pending := make(chan written, 1)
	go func(chunk []byte) {
		n, err := s.out.Write(chunk)
		if err == nil && n < len(chunk) {
			err = io.ErrShortWrite
		}
		pending <- written{bytes: n, err: err}
	}(s.chunk)
	return pending
}

func classify(err error) error {
	err = fmt.Errorf("write lines: %w", err)
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EAGAIN):
		return &sink.RetryableError{Err: err}
	default: // EPIPE above all: who read the output has gone, and no retry brings them back
		return &sink.PermanentError{Err: err}
	}
}
