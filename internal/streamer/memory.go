package streamer

import (
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"

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
