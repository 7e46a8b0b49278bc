package streamer

import (
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"testing"

	"pgregory.net/rapid"
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

func TestGCPercent(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	for _, c := range []struct {
		name               string
		live, roots, floor uint64
		want               int
	}{
		{"nothing lives yet", 0, 0, 128 * mib, mostPercent},
		{"little lives", mib, 0, 128 * mib, mostPercent},
		{"to the floor", 40 * mib, 0, 128 * mib, 220},
		{"stacks count where the heap grows", 40 * mib, 4 * mib, 128 * mib, 200},
		{"half of the floor", 64 * mib, 0, 128 * mib, leastPercent},
		{"more than half of the floor", 65 * mib, 0, 128 * mib, leastPercent},
		{"more than the floor", 200 * mib, 0, 128 * mib, leastPercent},
		{"no floor", 40 * mib, 0, 0, leastPercent},
	} {
		if got := gcPercent(c.live, c.roots, c.floor); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

// TestTheFloorRaisesNoBound: with any budget and whatever lives, the next collection comes at twice that or within the
// budget.
func TestTheFloorRaisesNoBound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		budget := rapid.Int64Range(1, 1<<40).Draw(t, "budget")
		live := rapid.Uint64Range(0, 1<<40).Draw(t, "live")
		roots := rapid.Uint64Range(0, 1<<24).Draw(t, "roots")
		percent := uint64(gcPercent(live, roots, uint64(heapFloor(budget))))
		goal := live + (live+roots)*percent/100
		if usual := 2*live + roots; goal > max(usual, uint64(budget/4)) {
			t.Fatalf("at %d %% the heap grows to %d", percent, goal)
		}
	})
}

// fakeCollector remembers what it was set to.
type fakeCollector struct {
	live    uint64
	percent int
	sets    int
}

func (c *fakeCollector) pace(floor uint64) *pace {
	return &pace{
		floor: floor,
		read:  func() (uint64, uint64) { return c.live, 0 },
		set: func(percent int) int {
			before := c.percent
			c.percent = percent
			c.sets++
			return before
		},
	}
}

func TestThePaceFollowsWhatLives(t *testing.T) {
	t.Parallel()
	c := &fakeCollector{percent: 70}
	p := c.pace(100)
	p.begin()
	for _, step := range []struct {
		live uint64
		want int
		sets int
	}{{0, mostPercent, 1}, {25, 300, 2}, {25, 300, 2}, {60, 100, 3}, {500, 100, 3}, {40, 150, 4}} {
		c.live = step.live
		p.collected()
		if c.percent != step.want || c.sets != step.sets {
			t.Errorf("with %d alive: %d %%, set %d times; want %d, %d", step.live, c.percent, c.sets, step.want, step.sets)
		}
	}
	p.stop()
	if c.percent != 70 {
		t.Errorf("the end left %d %%, want what it was before", c.percent)
	}
	c.live = 25
	p.collected() // that was on its way
	if c.percent != 70 {
		t.Errorf("set to %d %% after the end", c.percent)
	}
}

// TestTheCollectorWakesThePace waits for two collections, the second of which is only seen if the first armed anew.
func TestTheCollectorWakesThePace(t *testing.T) {
	lives, set := make(chan uint64), make(chan int)
	p := &pace{
		floor: 100,
		read:  func() (uint64, uint64) { return <-lives, 0 },
		set:   func(percent int) int { set <- percent; return 0 },
	}
	go p.begin()
	if got := <-set; got != mostPercent {
		t.Fatalf("begins with %d, want %d", got, mostPercent)
	}
	for live, want := range map[uint64]int{25: 300, 60: 100} {
		for woken := false; !woken; {
			runtime.GC()
			select {
			case lives <- live:
				woken = true
			default: // a collection that had begun before the pace armed does not count
				runtime.Gosched()
			}
		}
		if got := <-set; got != want {
			t.Fatalf("with %d alive set to %d, want %d", live, got, want)
		}
	}
	go p.stop()
	<-set
}

func TestReadHeap(t *testing.T) {
	runtime.GC()
	live, roots := readHeap()
	if live == 0 || roots == 0 {
		t.Errorf("%d alive, roots %d", live, roots)
	}
}

func TestTheOperatorsGOGCWins(t *testing.T) {
	t.Setenv("GOGC", "50")
	before := debug.SetGCPercent(50)
	defer debug.SetGCPercent(before)
	end := followHeap(1 << 30)
	end()
	if now := debug.SetGCPercent(50); now != 50 {
		t.Errorf("set to %d", now)
	}
}
