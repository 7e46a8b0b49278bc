// Package demo runs the service where it can be watched: an embedded broker, generated ad events on partitions of uneven
// load, a pipeline that keeps views, a live view in the terminal, and at the end a check that what went in came out.
//
// The check trusts nothing of the service: events are a pure function of (seed, partition, sequence number), so what must
// come out is computed from what the broker acknowledged, and a consumer of its own reads the output topic.
//
//	generator ──► events ──► service under test ──► views ──► reader ──► Checker
//	     └────────── what was acknowledged ──────────────────────────────────┘
//
// Ownership: [Run] starts one goroutine each for generator, service, reader, and the loop that draws; all have returned
// when Run returns. Pure parts ([Event], [Shape], [Checker], [Frame]) know no clock, no goroutine and no broker.
package demo
