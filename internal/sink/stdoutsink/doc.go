// Package stdoutsink is a sink that writes each record's value and a newline to a writer, normally the process's standard
// output, for pipes and for looking at.
//
// Keys, headers and timestamps are not shown; a tombstone is the line null. A value with a newline in it spans lines. An
// acknowledged batch has been taken by the writer; whether it is durable is up to who reads the pipe. A reader that went
// away (EPIPE) is permanent; a full disk behind a redirection is retried, and goes on in the middle of the line where it
// stopped.
package stdoutsink
