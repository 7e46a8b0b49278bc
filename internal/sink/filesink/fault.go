package filesink

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"syscall"

	"streamer/internal/sink"
)

var errInUse = errors.New("another process writes to sink.file.directory as the same instance; stop it, " +
	"or give each process its own sink.file.instance")

// explain says what helps when the directory cannot be used at the start; afterwards such a failure is waited out. The user
// is named by number: in the container image it is one that the host's directories do not know.
func explain(err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w; let user %d write to it, or choose another directory", err, os.Geteuid())
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w; mount it for writing, or choose another directory", err)
	default:
		return err
	}
}

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
