// Package sink is the contract between the pipeline and the places that output goes to, the classes of their failures
// ([RetryableError], [RejectedError], [PermanentError]), and the [Writer] that delivers one batch at a time and does not give
// up on it.
//
// The kinds live in their own packages below this one (kafkasink, filesink, stdoutsink, dropsink), each with its Config,
// DefaultConfig and Validate, and all pass the suite in sinktest.
//
// Invariants: a batch is acknowledged only when every record of it is durable; a failure that nobody classified is
// neither retried nor skipped; nothing but the end of the context stops the retries of a retryable one.
//
// Ownership: one goroutine, the writer's, calls [Writer.Write] and [Writer.Close]; [Writer.State] is for everybody.
package sink
