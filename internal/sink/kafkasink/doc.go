// Package kafkasink is a sink that produces to one Kafka topic: idempotent, acknowledged by all in-sync replicas.
//
// Key, value, headers and timestamp arrive as the pipeline gives them; a tombstone stays one. When the topic has as many
// partitions as the input topic, a record goes to the partition it came from; else by its key, as Kafka's default
// partitioner does it (murmur2), and without a key to its input partition modulo the count.
//
// Order: nothing of a batch is sent before all of it has been handed to the client (manual flushing), and the client fails
// a partition as a whole; so a later record never overtakes an earlier one of its partition, through any failure.
//
// The client retries network faults by itself, without end and without a word; [Sink.Waiting] makes that visible.
//
// Ownership: the writer's goroutine calls Write and Close and owns all but the shipments' counters, which the client's
// promises change under Sink.mu, and the health, which has its own lock.
package kafkasink
