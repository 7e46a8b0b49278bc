// Package sink is the contract between the writer and the places output goes to, the classes of their failures, and the
// writer that retries.
package sink

import (
	"context"

	"streamer/internal/record"
)

// Sink writes batches durably. Write and Close are called by one goroutine, one at a time.
type Sink interface {
	// Write returns nil only when every record of the batch is durable. After an error nothing is known of the batch's
	// records; the writer calls again with the same batch if the error is retryable. Write returns soon after ctx ends.
	Write(ctx context.Context, batch *record.Batch) error
	// Close releases what the sink holds. It is called once, after the last Write has returned.
	Close() error
}
