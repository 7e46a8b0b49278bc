// Package chaos holds the fault harness: it breaks everything around the streamer binary that can break, on a schedule
// drawn from a seed, and checks the promise of docs/reliability.md with sets of records.
//
// A [scenario] is one kind of fault, injected again and again under load, with topics, a group and processes of its own;
// "mixed" is all of them. Its result is a row of the table that a run ends with. Three scenarios run side by side; those
// that stop their broker have one of their own. The same seed draws the same schedule.
//
// Goroutines: the scenario's own injects and judges; one writes records, one samples commits (package ledger), and a
// watch has two that look at the processes and at how long recoveries take. All end with the scenario.
//
// The harness is proven by mutants: binaries that break the promise in one place each (mutants_test.go). Each has to be
// caught, by the check that is named beside it.
//
// It is built with the tag chaos only; `make chaos`, `make chaos-long` and `make chaos-mutants` run it.
package chaos
