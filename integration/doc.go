// Package integration tests Streamer from outside: the built binary, as a child process or a container, against real
// Kafka. It imports nothing of internal/, so that what it proves is what a user gets.
//
// Where things are:
//
//   - kafkatest finds or starts a broker: the one that is configured, Docker, Java and Maven, or the embedded one.
//   - service builds the binary, runs it and reads its status, metrics, memory and exit code.
//   - ledger writes records that can be told apart and checks what came out: loss, duplicates, order, commit safety.
//   - proxy stands between a client and a broker and cuts, hangs or delays what passes.
//   - child runs a program that dies with the test.
//
// The tests are one file per theme. Each says what it would catch. They wait for conditions, with a deadline; none
// sleeps for a fixed time and none asserts how long something took, unless a time is the promise itself.
//
// Environment:
//
//	STREAMER_TEST_BROKERS   addresses of a running Kafka, separated by commas
//	STREAMER_TEST_BROKER    docker, process or kfake: this kind and no other
//	STREAMER_TEST_REQUIRE   docker or kafka: fail instead of falling below
//	STREAMER_TEST_RACE      1: build the binary with the race detector
//	STREAMER_TEST_BINARY    path of a binary to test instead of building one
//	STREAMER_TEST_IMAGE     name of an image to test instead of building one from the Dockerfile
package integration
