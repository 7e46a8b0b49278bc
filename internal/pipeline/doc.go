// Package pipeline is the chain that every record goes through: decode, steps, encode. It is pure: the same records give
// the same outputs, whatever the clock, the number of workers and the cut of the blocks.
//
// A [Config] is what the user wrote; Validate finds everything wrong with it at once. [Compile] turns it into a [Chain],
// which is immutable and shared. Each goroutine has a [Worker], which owns the memory that is reused from record to
// record: the parsed value, and the arena that a block's outputs are written into.
//
// A record ends in one of four ways: as an output, filtered, skipped by policy, or as the failure that stops its
// partition. Failures never hold payload.
package pipeline
