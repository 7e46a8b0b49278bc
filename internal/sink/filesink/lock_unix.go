//go:build unix

package filesink

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// lock takes the instance's lock for this process. The kernel lets go of it when the process dies, however it dies.
func lock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, fileMode)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	switch {
	case err == nil:
		return f, nil
	case errors.Is(err, syscall.EWOULDBLOCK):
		err = errInUse
	}
	_ = f.Close()
	return nil, fmt.Errorf("take lock %s: %w", path, err)
}
