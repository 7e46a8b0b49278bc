// Package dropsink is a sink that acknowledges every batch and keeps nothing: to measure the rest of the service, or to
// try a pipeline out.
package dropsink

import (
	"context"
	"fmt"
	"sync/atomic"

	"streamer/internal/record"
)

// Sink counts records and drops them. Records may be called from any goroutine.
type Sink struct {
	records atomic.Int64
}

// New makes a sink.
func New() *Sink { return &Sink{} }

// Write counts the batch's records.
func (s *Sink) Write(ctx context.Context, batch *record.Batch) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("drop batch: %w", err)
	}
	for _, block := range batch.Blocks {
		s.records.Add(int64(block.Deliverable()))
	}
	return nil
}

// Close does nothing.
func (*Sink) Close() error { return nil }

// Records returns how many records were dropped so far.
func (s *Sink) Records() int64 { return s.records.Load() }
