//go:build unix

package process

import (
	"runtime"
	"syscall"
	"time"
)

// CPUOfSelf is the user and system time of this process so far.
func CPUOfSelf() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// maxRSS is the largest resident set in bytes. Linux counts it in KiB, macOS in bytes.
func maxRSS(usage any) int64 {
	u, ok := usage.(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return int64(u.Maxrss) //nolint:unconvert // its width depends on the platform
	}
	return int64(u.Maxrss) << 10 //nolint:unconvert // its width depends on the platform
}
