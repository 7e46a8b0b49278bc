// Package kafkasink is a sink that produces to Kafka topics: idempotent, acknowledged by all in-sync replicas.
//
// Key, value, headers and timestamp arrive as the pipeline gives them; a tombstone stays one. An output goes to the sink's own
// topic or to the listed one that its destination names. When that has as many partitions as the input topic, a record goes to
// the partition it came from; else by its key, as Kafka's default partitioner does it (murmur2), and without a key to its input
// partition modulo the count. A destination may also name the partition, or ask for placement by key.
//
// Order: a round is handed over as a whole before any answer to it is looked at (see gate), the client fails a partition as
// a whole, the first failure that is no refusal cancels what has not been sent yet, and nothing goes again before all has
// settled; so a later record does not overtake an earlier one of its partition. The client must know the topics' partitions
// before the first batch for that, see acquaint. A gap remains in the broker: one that has forgotten the producer takes the
// second of two record batches on their way although it refused the first.
//
// Refused records: what cannot go is found before anything is sent ([sink.RejectedError]). A broker refuses whole record
// batches; the sink then sends less and less to that partition until the record at fault is refused alone (see pace).
//
// The client retries network faults by itself, without end and without a word; [Sink.Waiting] makes that visible.
//
// Ownership: the writer's goroutine calls Write and Close and owns all but the shipments' counters and the round's failures,
// which the client's promises change under Sink.mu, and the health, which has its own lock.
package kafkasink
