// Package process measures what a process used: wall time, processor time and its largest resident set.
package process

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// Usage is what a process used.
type Usage struct {
	Wall time.Duration
	CPU  time.Duration // user and system
	Peak int64         // largest resident set in bytes
}

// sampleEvery is how often the peak of a running process is read. The kernel keeps the highest mark, so only a rise in
// the last moments before the exit is missed.
const sampleEvery = 10 * time.Millisecond

// Run runs the command to its end and says what it used. The error is that of the command.
//
// The peak is read from /proc, where there is one: on Linux the figure of getrusage begins, for a child, with what its
// parent had at the fork, and a harness that has just made a million events would be measured instead.
func Run(cmd *exec.Cmd) (Usage, error) {
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return Usage{}, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	watched := make(chan int64)
	go func() { watched <- watchPeak(ctx, cmd.Process.Pid) }()
	err := cmd.Wait()
	used := Usage{Wall: time.Since(began), CPU: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	cancel()
	if used.Peak = <-watched; used.Peak == 0 {
		used.Peak = maxRSS(cmd.ProcessState.SysUsage())
	}
	if err != nil {
		return used, fmt.Errorf("run %s: %w", cmd.Path, err)
	}
	return used, nil
}

// watchPeak reads the process's high-water mark until ctx ends, and returns the last one; 0 without /proc.
func watchPeak(ctx context.Context, pid int) (peak int64) {
	ticker := time.NewTicker(sampleEvery)
	defer ticker.Stop()
	for {
		peak = max(peak, highWater(strconv.Itoa(pid)))
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return peak
		}
	}
}

// PeakOfSelf is the largest resident set of this process so far, in bytes; 0 if it cannot be told.
func PeakOfSelf() int64 { return highWater("self") }

func highWater(pid string) int64 {
	text, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return 0
	}
	return parseHighWater(string(text))
}

// parseHighWater finds VmHWM in a process's status. It is 0 for a process that has ended, which has no such line.
func parseHighWater(status string) int64 {
	for line := range strings.Lines(status) {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[0] == "VmHWM:" {
			kib, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				return 0
			}
			return kib << 10
		}
	}
	return 0
}
