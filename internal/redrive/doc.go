// Package redrive sends dead letters again: back to the topics that they came from, or through a pipeline.
//
// It is no loop of its own but a bounded run of the service over the dead-letter topic: a [Plan] is the configuration of
// that run and the worker that turns letters into records. Offsets, order, delivery and drain are the service's. So what is
// committed is delivered, and a run that is interrupted goes on where it stopped; only what was delivered and not yet
// committed is sent once more, with the same origin header.
//
// A letter that cannot be sent as its headers say stops its partition before it: nothing is passed over but what the
// selection leaves out.
//
// Workers belong to one goroutine each, as those of [pipeline.Chain]; a [Survey] takes counts from all of them.
package redrive
