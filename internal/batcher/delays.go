package batcher

import (
	"time"

	"streamer/internal/record"
)

// Delays are Spark's three times of one batch.
type Delays struct {
	Scheduling, Processing, Total time.Duration
}

// DelaysOf works out the times of an acknowledged batch that the sink began to write at began.
func DelaysOf(b *record.Batch, began time.Time) Delays {
	oldest := b.Opened
	for _, block := range b.Blocks {
		if block.Opened.Before(oldest) {
			oldest = block.Opened
		}
	}
	return Delays{
		Scheduling: began.Sub(b.Closed),
		Processing: b.Wrote.Sub(began),
		Total:      b.Wrote.Sub(oldest),
	}
}
