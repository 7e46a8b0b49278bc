package process

import (
	"os"
	"os/exec"
	"testing"
)

func TestParseHighWater(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, status string
		want         int64
	}{
		{"running", "Name:\tstreamer\nVmPeak:\t  900 kB\nVmHWM:\t  123 kB\nVmRSS:\t  100 kB\n", 123 << 10},
		{"ended", "Name:\tstreamer\nState:\tZ (zombie)\n", 0},
		{"not a number", "VmHWM:\t x kB\n", 0},
		{"empty", "", 0},
	} {
		if got := parseHighWater(c.status); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

// ballast is what TestTheChildIsMeasured holds, more than the child needs.
var ballast []byte

// TestTheChildIsMeasured would catch the parent's memory in the child's figure.
func TestTheChildIsMeasured(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("needs /proc")
	}
	const size = 200 << 20
	ballast = make([]byte, size)
	for i := 0; i < size; i += 4096 {
		ballast[i] = 1
	}
	used, err := Run(exec.CommandContext(t.Context(), "sleep", "0.1"))
	if err != nil {
		t.Fatal(err)
	}
	if used.Peak <= 0 || used.Peak > size/2 || used.Wall <= 0 {
		t.Errorf("used %+v by a process that does nothing", used)
	}
	ballast = nil
	if PeakOfSelf() < size {
		t.Errorf("peak of this process %d, want at least %d", PeakOfSelf(), size)
	}
}

func TestAFailureIsReported(t *testing.T) {
	t.Parallel()
	if _, err := Run(exec.CommandContext(t.Context(), "false")); err == nil {
		t.Error("no error of a command that failed")
	}
	if _, err := Run(exec.CommandContext(t.Context(), "/does/not/exist")); err == nil {
		t.Error("no error of a command that is not there")
	}
}
