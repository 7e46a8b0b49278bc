package streamer

import (
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"

	"streamer/internal/partitionstream"
)

// minBudget is the least that `memory.budget: auto` chooses: below it fetches get so small that throughput suffers.
const minBudget = 64 << 20

// levels divides the budget. Go's collector lets the heap grow to twice what lives, so for the process to stay within
// the budget and a constant, half of it may live: three eighths between poll and acknowledgement, one eighth in the
// fetches that kgo holds.
func levels(budget int64) partitionstream.Levels {
	return partitionstream.Levels{Low: budget * 3 / 16, High: budget * 9 / 32, Full: budget * 3 / 8}
}

// memoryBudget is the configured budget in bytes, or for 0 (auto) a quarter of what this process may use.
func memoryBudget(configured int64) int64 {
	if configured > 0 {
		return configured
	}
	available := cgroupLimit("/proc/self/cgroup", "/sys/fs/cgroup")
	if physical := physicalMemory("/proc/meminfo"); available == 0 || physical > 0 && physical < available {
		available = physical
	}
	return max(minBudget, available/4)
}

// limitMemory tells the collector where the cgroup kills: at 90 % of its limit, unless the operator has said something
// else by GOMEMLIMIT. The budget is never the limit: a heap that lives near it would be collected without end.
func limitMemory(log *slog.Logger) {
	limit := cgroupLimit("/proc/self/cgroup", "/sys/fs/cgroup")
	if limit == 0 || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetMemoryLimit(limit / 10 * 9)
	log.Debug("memory limit set", "cgroup", limit, "gomemlimit", limit/10*9)
}

// mostFloor is for large budgets: a process whose heap is kept at it has 150 to 190 MiB resident at full speed.
const mostFloor = 140 << 20

// heapFloor is the size in bytes up to which the heap may grow however little of it lives. It is a part of what the
// budget leaves to the heap in any case, so it raises no bound.
func heapFloor(budget int64) int64 { return min(budget/4, mostFloor) }

// The bounds of what followHeap sets. Until the pace has seen a collection the heap may grow by the percentage of the one
// before: above mostPercent that would be far past the budget when much begins to live at once. At mostPercent Go's own
// least heap is 16 MiB.
const (
	leastPercent = 100 // what the levels reckon with
	mostPercent  = 400
)

// gcPercent returns the GOGC with which the heap grows to twice what lives, or to floor if that is more. live and roots
// are bytes as the last collection found them; the collector lets the heap grow by a percentage of their sum.
func gcPercent(live, roots, floor uint64) int {
	if floor <= live {
		return leastPercent
	}
	percent := (floor - live) * 100 / max(1, live+roots)
	percent -= percent % 10 // so that most collections leave it as it is: to set it stops the world
	return int(max(leastPercent, min(mostPercent, percent)))
}

// followHeap keeps a small heap from being collected dozens of times a second: after each collection it sets GOGC anew, so
// that the next one begins at the floor. It returns what ends that and gives the collector back as it was. The operator's
// own GOGC wins.
func followHeap(budget int64) (end func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	p := &pace{floor: uint64(heapFloor(budget)), read: readHeap, set: debug.SetGCPercent}
	p.begin()
	return p.stop
}

// pace sets GOGC after each collection. The collector itself wakes it, by taking away an object that nobody holds, so
// there is no goroutine and no clock.
type pace struct {
	floor uint64
	read  func() (live, roots uint64)
	set   func(percent int) (before int)

	mu     sync.Mutex // stop is called while the collector may call
	before int        // what stop puts back
	now    int
	ended  bool
}

// sentinel is what the collector takes away. An object without a pointer shares its memory with others, and is not taken
// away as long as one of those lives.
type sentinel struct{ _ *sentinel }

func (p *pace) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = gcPercent(0, 0, p.floor) // nothing has been collected yet, so little lives
	p.before = p.set(p.now)
	p.arm()
}

func (p *pace) arm() { runtime.AddCleanup(&sentinel{}, (*pace).collected, p) }

func (p *pace) collected() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return
	}
	live, roots := p.read()
	if percent := gcPercent(live, roots, p.floor); percent != p.now {
		p.now = percent
		p.set(percent)
	}
	p.arm()
}

func (p *pace) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	p.set(p.before)
}

// readHeap returns the bytes that lived at the last collection, and those of stacks and globals.
func readHeap() (live, roots uint64) {
	samples := []metrics.Sample{
		{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/globals:bytes"},
	}
	metrics.Read(samples)
	value := func(i int) uint64 {
		if samples[i].Value.Kind() != metrics.KindUint64 {
			return 0 // a later Go may not have it
		}
		return samples[i].Value.Uint64()
	}
	return value(0), value(1) + value(2)
}

// cgroupLimit returns the smallest memory limit in bytes of the process's cgroup and those above it, version 2 or 1; 0 if
// there is none.
func cgroupLimit(selfFile, root string) int64 {
	self, err := os.ReadFile(selfFile)
	if err != nil {
		return 0 // not Linux
	}
	limit := int64(math.MaxInt64)
	for line := range strings.Lines(string(self)) {
		// hierarchy:controllers:path
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		dir, file := root, "memory.max"
		if parts[0] != "0" {
			if !strings.Contains(","+parts[1]+",", ",memory,") {
				continue
			}
			dir, file = filepath.Join(root, "memory"), "memory.limit_in_bytes"
		}
		// In a container the path may be the host's; what is mounted at the root is ours then. The walk up covers both.
		for at := filepath.Join("/", parts[2]); ; at = filepath.Dir(at) {
			limit = min(limit, readLimit(filepath.Join(dir, at, file)))
			if at == "/" {
				break
			}
		}
	}
	if limit >= 1<<60 { // version 1 writes a huge number for none
		return 0
	}
	return limit
}

func readLimit(file string) int64 {
	text, err := os.ReadFile(file)
	if err != nil {
		return math.MaxInt64
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil { // "max"
		return math.MaxInt64
	}
	return n
}

// physicalMemory returns the machine's memory in bytes; 0 if it cannot be told.
func physicalMemory(meminfo string) int64 {
	text, err := os.ReadFile(meminfo)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) != 3 || fields[0] != "MemTotal:" {
			continue
		}
		kib, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			return 0
		}
		return kib << 10
	}
	return 0
}
