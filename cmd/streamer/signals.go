package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// stopOnSignals runs for the life of the process. The first interrupt or termination asks for a drain; the second one
// ends the process at once, for an operator who does not want to wait for a dead sink.
func stopOnSignals(drain context.CancelFunc, exit func(code int)) {
	// Without this a closed pipe behind standard output kills the process in silence; with it the stdout sink gets an
	// error, and the run ends with its reason.
	signal.Ignore(syscall.SIGPIPE)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	drainThenExit(signals, drain, exit)
}

func drainThenExit(signals <-chan os.Signal, drain context.CancelFunc, exit func(code int)) {
	<-signals
	drain()
	<-signals
	exit(exitInterrupted)
}
