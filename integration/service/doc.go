// Package service builds the streamer binary, runs it as a child process with a configuration file, and reads what an
// operator can read: readiness, status, metrics, logs, memory, exit code.
package service
