// Package kafkasink is a sink that produces to one Kafka topic: idempotent, acknowledged by all in-sync replicas.
//
// Key, value, headers and timestamp arrive as the pipeline gives them; a tombstone stays one. When the topic has as many
// partitions as the input topic, a record goes to the partition it came from; else by its key, as Kafka's default
// partitioner does it (murmur2), and without a key to its input partition modulo the count.
//
// Order: the client fails a partition as a whole, the first failure cancels what has not been sent yet, and nothing goes
// again before all has settled; so a later record does not overtake an earlier one of its partition. A gap of microseconds
// remains, between a broker's refusal and the cancelling: records handed over just then, and taken, overtake.
//
// The client retries network faults by itself, without end and without a word; [Sink.Waiting] makes that visible.
//
// Ownership: the writer's goroutine calls Write and Close and owns all but the shipments' counters, which the client's
// promises change under Sink.mu, and the health, which has its own lock.
package kafkasink
