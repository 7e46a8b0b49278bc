package sink

import (
	"context"

	"streamer/internal/record"
)

// Sink writes batches durably. Write and Close are called by one goroutine, one at a time.
type Sink interface {
	// Write returns nil only when every record of the batch is durable, less the outputs that are Refused, which it passes
	// over; an empty batch is durable at once. The records of one input partition keep their order, as far as the kind of
	// sink has an order at all.
	//
	// After an error some, all or none of the records may have arrived. If it is a [*RetryableError] the writer calls
	// again with the same batch, and the sink may leave out what it knows to be durable. The batch of that next call may
	// also be a smaller one (blocks of a partition that was revoked have left it) or another one; so what a sink
	// remembers of a failed Write it must keep by *record.Block, never by position in the batch.
	//
	// If it is a [*RejectedError] the caller deals with the refused records, and may call again with the same batch, in
	// which their outputs are Refused now or their blocks end before them. Until then nothing that comes behind a refused
	// record in its partition is delivered; and what is known to have arrived is not written again.
	//
	// Write returns soon after ctx ends, with an error that wraps the context's. The sink must not change what it is
	// given, and must let go of it once Write has returned nil.
	Write(ctx context.Context, batch *record.Batch) error
	// Close releases what the sink holds. It is called once, after the last Write has returned; a second call does
	// nothing and returns nil. It does not wait for records of a Write that failed.
	Close() error
}

// Waiter is a Sink that retries inside Write. Without it an operator would see a Write that takes for ever, and no
// reason. Waiting is called from any goroutine, and returns what the sink is waiting for, or nil if it is getting on.
type Waiter interface {
	Waiting() error
}
