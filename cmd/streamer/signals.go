package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// stopOnSignals runs for the life of the process. The first interrupt or termination asks for a drain; the second one
// ends the process at once, for an operator who does not want to wait for a dead sink.
func stopOnSignals(drain context.CancelFunc, stderr io.Writer, exit func(code int)) {
	// Without this a closed pipe behind standard output kills the process in silence; with it the stdout sink gets an
	// error, and the run ends with its reason.
	signal.Ignore(syscall.SIGPIPE)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	drainThenExit(signals, drain, stderr, exit)
}

// lastWords says what an end without a drain leaves behind; the log's last line would be the drain's begin.
const lastWords = "streamer: a second signal ended the process at once: what `run` had not committed is delivered again, " +
	"and its member stays in the group until the session times out (source.kafka.session_timeout)"

func drainThenExit(signals <-chan os.Signal, drain context.CancelFunc, stderr io.Writer, exit func(code int)) {
	<-signals
	drain()
	<-signals
	_, _ = fmt.Fprintln(stderr, lastWords)
	exit(exitInterrupted)
}
