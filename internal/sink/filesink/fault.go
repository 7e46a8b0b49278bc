package filesink

import (
	"errors"
	"slices"
	"syscall"

	"streamer/internal/sink"
)

var errInUse = errors.New("another process writes to sink.file.directory as the same instance; stop it, " +
	"or give each process its own sink.file.instance")

// mayPass lists what an operator can mend, or the machine itself, while Streamer waits: space, quota, a mount that went
// away or turned read-only, permissions, open files.
func mayPass() []syscall.Errno {
	return []syscall.Errno{
		syscall.ENOSPC, syscall.EDQUOT, syscall.EIO, syscall.EINTR, syscall.EAGAIN, syscall.ETIMEDOUT, syscall.ESTALE,
		syscall.EROFS, syscall.EACCES, syscall.EPERM, syscall.ENOENT, syscall.ENOTDIR, syscall.ENODEV, syscall.ENXIO,
		syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.EHOSTDOWN, syscall.ENOTCONN,
	}
}

// classify makes a disk's failure retryable if it may pass, else permanent.
func classify(err error) error {
	if errno, ok := errors.AsType[syscall.Errno](err); ok && slices.Contains(mayPass(), errno) {
		return &sink.RetryableError{Err: err}
	}
	return &sink.PermanentError{Err: err}
}
