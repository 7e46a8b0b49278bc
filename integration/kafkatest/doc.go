// Package kafkatest finds or starts the Kafka that the tests use, and makes topics, clients and look-ups on it.
//
// [Find] takes the first broker it can have: the one whose addresses are in STREAMER_TEST_BROKERS, a container, a
// process from Maven's jars, or the embedded kfake. One broker is shared by the tests of a binary; each test uses topics
// and groups of its own, so they run side by side. A test that stops its broker starts one of its own with [Broker.Own].
//
// A started broker has, beside the plain listener, one with TLS and SCRAM, and some whose advertised address is a proxy
// of ours: through them a test cuts or hangs one client's way to the broker while others go on.
package kafkatest
