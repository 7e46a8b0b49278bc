package streamer

import (
	"os"
	"path/filepath"
	"testing"
)

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheSmallestLimitOnTheWayUpCounts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, self string
		files      map[string]string
		want       int64
	}{
		{"version 2, own limit", "0::/pod/app\n", map[string]string{"pod/app/memory.max": "1000\n", "memory.max": "max\n"}, 1000},
		{"version 2, the pod's is smaller", "0::/pod/app\n", map[string]string{"pod/app/memory.max": "1000", "pod/memory.max": "700"}, 700},
		{"version 2, in a container", "0::/host/path\n", map[string]string{"memory.max": "512"}, 512},
		{"version 2, none", "0::/\n", map[string]string{"memory.max": "max"}, 0},
		{"version 1", "3:cpu:/x\n5:memory,hugetlb:/x\n", map[string]string{"memory/x/memory.limit_in_bytes": "400"}, 400},
		{"version 1, none", "5:memory:/\n", map[string]string{"memory/memory.limit_in_bytes": "9223372036854771712"}, 0},
	} {
		root := t.TempDir()
		for name, text := range c.files {
			write(t, filepath.Join(root, name), text)
		}
		self := write(t, filepath.Join(t.TempDir(), "cgroup"), c.self)
		if got := cgroupLimit(self, root); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestPhysicalMemoryIsInBytes(t *testing.T) {
	t.Parallel()
	file := write(t, filepath.Join(t.TempDir(), "meminfo"), "MemFree: 12 kB\nMemTotal:  2048 kB\n")
	if file == "" || physicalMemory(write(t, file, "MemTotal:  2048 kB\n")) != 2<<20 {
		t.Fatal("MemTotal is not read as KiB")
	}
	if physicalMemory("/does/not/exist") != 0 {
		t.Fatal("a missing file gave memory")
	}
}

func TestAutoIsAtLeastTheMinimum(t *testing.T) {
	t.Parallel()
	if got := memoryBudget(5 << 20); got != 5<<20 {
		t.Fatalf("a configured budget became %d", got)
	}
	if got := memoryBudget(0); got < minBudget {
		t.Fatalf("auto gave %d, below the minimum", got)
	}
	l := levels(1 << 30)
	if l.Low >= l.High || l.High >= l.Full || l.Full > 1<<29 {
		t.Fatalf("levels %+v are not in order below half of the budget", l)
	}
}
