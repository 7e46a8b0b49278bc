package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"streamer/internal/config"
	"streamer/internal/setting"
)

// Exit codes, as docs/configuration.md promises them to scripts and supervisors.
const (
	exitSuccess     = 0
	exitFailure     = 1
	exitUsage       = 2 // bad usage or configuration: the same command will fail again
	exitInterrupted = 130
)

// usageError is a bad argument that only the command itself can see.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// workError is what a command returned from its work, in contrast to what cobra says about arguments and flags.
type workError struct{ err error }

func (e workError) Error() string { return e.err.Error() }
func (e workError) Unwrap() error { return e.err }

// markWork wraps the work of cmd and of every command below it. cobra's own errors have no type to know them by.
func markWork(cmd *cobra.Command) {
	if work := cmd.RunE; work != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if err := work(cmd, args); err != nil {
				return workError{err}
			}
			return nil
		}
	}
	for _, below := range cmd.Commands() {
		markWork(below)
	}
}

// report prints err for people, one fault on each line, and returns the exit code for scripts.
func report(stderr io.Writer, err error) int {
	if err == nil {
		return exitSuccess
	}
	if faults, ok := errors.AsType[config.Faults](err); ok {
		_, _ = fmt.Fprintln(stderr, faults.Error())
		return exitUsage
	}
	_, _ = fmt.Fprintf(stderr, "streamer: %v\n", err)
	_, worked := errors.AsType[workError](err)
	_, misused := errors.AsType[usageError](err)
	_, faulty := errors.AsType[setting.Fault](err)
	if misused || faulty || !worked {
		return exitUsage
	}
	return exitFailure
}
