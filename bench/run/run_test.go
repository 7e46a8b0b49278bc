package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"streamer/bench/event"
	"streamer/bench/process"
)

func TestSpread(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		values []float64
		want   spread
	}{
		{nil, spread{}},
		{[]float64{3}, spread{3, 3, 3}},
		{[]float64{4, 1, 2}, spread{1, 2, 4}},
		{[]float64{4, 1, 2, 3}, spread{1, 2.5, 4}},
	} {
		if got := spreadOf(c.values); got != c.want {
			t.Errorf("%v: %v, want %v", c.values, got, c.want)
		}
	}
	if got := (spread{1e6, 2.5e6, 3e6}).millions(); got != "1.00 / 2.50 / 3.00 M" {
		t.Errorf("rendered %q", got)
	}
}

func usage(cpu, wall time.Duration, peak int64) process.Usage {
	return process.Usage{CPU: cpu, Wall: wall, Peak: peak}
}

// TestRatiosGoRoundByRound would catch a ratio of two medians that come from different rounds.
func TestRatiosGoRoundByRound(t *testing.T) {
	t.Parallel()
	ours := []sample{
		{records: 100, Usage: usage(1*time.Second, time.Second, 0)},
		{records: 100, Usage: usage(2*time.Second, time.Second, 0)},
		{records: 100, Usage: usage(4*time.Second, time.Second, 0)},
	}
	limit := []sample{
		{records: 100, Usage: usage(1*time.Second, time.Second, 0)},
		{records: 100, Usage: usage(1*time.Second, time.Second, 0)},
		{records: 100, Usage: usage(2*time.Second, time.Second, 0)},
	}
	if got := ratios(ours, limit, sample.perCPU); got != (spread{0.5, 0.5, 1}) {
		t.Errorf("ratios %v", got)
	}
	if got := ratios(ours, limit[:1], sample.perCPU); got != (spread{1, 1, 1}) {
		t.Errorf("ratios of one round %v", got)
	}
}

func TestQuantile(t *testing.T) {
	t.Parallel()
	sorted := make([]time.Duration, 1000)
	for i := range sorted {
		sorted[i] = time.Duration(i + 1)
	}
	for q, want := range map[float64]time.Duration{0: 1, .5: 500, .99: 990, .999: 999, 1: 1000} {
		if got := quantile(sorted, q); got != want {
			t.Errorf("quantile %v: %d, want %d", q, got, want)
		}
	}
	if got := quantile(nil, .5); got != 0 {
		t.Errorf("quantile of nothing: %d", got)
	}
}

func TestTables(t *testing.T) {
	t.Parallel()
	programs := []program{
		{name: "limit", samples: []sample{{records: 2e6, Usage: usage(time.Second, 2*time.Second, 10<<20)}}},
		{name: "streamer", samples: []sample{{records: 2e6, Usage: usage(2*time.Second, 2*time.Second, 20<<20)}}},
		{name: "base", refused: true},
	}
	want := `
| program  | records per CPU-second (min / median / max) | records per second   | peak memory | of the limit       | bar          |
|----------|---------------------------------------------|----------------------|-------------|--------------------|--------------|
| limit    | 2.00 / 2.00 / 2.00 M                        | 1.00 / 1.00 / 1.00 M | 10 MiB      |                    |              |
| streamer | 1.00 / 1.00 / 1.00 M                        | 1.00 / 1.00 / 1.00 M | 20 MiB      | 0.50 / 0.50 / 0.50 | 0.75: missed |
| base     | not supported by this binary                |                      |             |                    |              |
`
	if got := table(comparison(programs, 0.75)); got != want[1:] {
		t.Errorf("got\n%swant%s", got, want)
	}
	want = `
| program  | partitions | CPU ns per record (min / median / max) | of 1 partition | peak memory |
|----------|------------|----------------------------------------|----------------|-------------|
| streamer | 1          | 500 / 500 / 500                        | 1.00           | 10 MiB      |
| streamer | 64         | 1000 / 1000 / 1000                     | 2.00           | 20 MiB      |
`
	runs := [][]program{{{name: "streamer", samples: programs[0].samples}}, {{name: "streamer", samples: programs[1].samples}}}
	if got := table(partitionTable([]int32{1, 64}, runs)); got != want[1:] {
		t.Errorf("got\n%swant%s", got, want)
	}
}

// TestRounds would catch a program that always runs first, and one that runs although it refused its configuration.
func TestRounds(t *testing.T) {
	t.Parallel()
	var order []string
	note := func(name string) program {
		return program{name: name, refused: name == "c", command: func() *exec.Cmd {
			order = append(order, name)
			return exec.CommandContext(t.Context(), "true")
		}}
	}
	programs := []program{note("a"), note("b"), note("c")}
	if err := rounds(2, programs, 10); err != nil {
		t.Fatal(err)
	}
	if want := []string{"a", "b", "b", "a"}; !slices.Equal(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
	if len(programs[0].samples) != 2 || programs[0].samples[0].records != 10 {
		t.Errorf("samples %+v", programs[0].samples)
	}
	failing := []program{{name: "d", command: func() *exec.Cmd {
		return exec.CommandContext(t.Context(), "sh", "-c", "echo the reason; exit 3")
	}}}
	if err := rounds(1, failing, 1); err == nil || !strings.Contains(err.Error(), "the reason") {
		t.Errorf("error %v does not say what the program printed", err)
	}
}

func TestDueTime(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]int64{
		`{"ad_id":"ad-1","event_time":1790000000000000123}`: 1790000000000000123,
		`{"event_time":5,"x":1}`:                            5,
		`{"event_time":}`:                                   -1,
		`{"ad_id":"ad-1"}`:                                  -1,
	} {
		due, ok := dueTime([]byte(value))
		if ok != (want >= 0) || ok && due.UnixNano() != want {
			t.Errorf("%s: %v, %v", value, due, ok)
		}
	}
}

// TestTheOpenLoopKeepsItsRate would catch rates that do not divide by the burst.
func TestTheOpenLoopKeepsItsRate(t *testing.T) {
	t.Parallel()
	for _, rate := range []int{1, 999, 1000, 20_000, 20_500} {
		if got := dueBy(10*time.Second-burst, rate); got != 10*rate {
			t.Errorf("%d per second: %d in 10 s", rate, got)
		}
	}
}

func TestMakeChunk(t *testing.T) {
	t.Parallel()
	events := event.NewGenerator(1, event.Large)
	first, second := makeChunk(events, "in", 8, 0, 20), makeChunk(events, "in", 8, 20, 20)
	for i, r := range append(first, second...) {
		if r.Topic != "in" || r.Partition != int32(i%8) || !bytes.HasPrefix(r.Key, []byte("user-")) {
			t.Errorf("record %d: %+v", i, r)
		}
		if due, ok := dueTime(r.Value); !ok || due.UnixNano() != event.FirstTime+int64(i) || r.Value[len(r.Value)-1] != '}' {
			t.Errorf("record %d: %s", i, r.Value)
		}
	}
}

func TestParse(t *testing.T) {
	t.Setenv("BENCH_BASE", "v1")
	o, err := parse([]string{"-workloads", "count,latency", "-runs", "5", "-set", "a=b", "-set", "c=d", "-streamer", "x/a", "-streamer", "b"}, io.Discard)
	if err != nil || !slices.Equal(o.workloads, []string{"count", "latency"}) || o.runs != 5 || o.base != "v1" ||
		!slices.Equal(o.set, []string{"a=b", "c=d"}) || !slices.Equal(o.given, []string{"x/a", "b"}) {
		t.Errorf("options %+v, %v", o, err)
	}
	for _, args := range [][]string{{"-workloads", "sort"}, {"-runs", "0"}, {"-scale", "0"}, {"-nope"}} {
		if _, err := parse(args, io.Discard); err == nil {
			t.Errorf("no error of %v", args)
		}
	}
}

func TestWithoutSettings(t *testing.T) {
	t.Parallel()
	got := withoutSettings([]string{"PATH=/bin", "STREAMER_BLOCK_INTERVAL=1s", "GOGC=400"})
	if !slices.Equal(got, []string{"PATH=/bin", "GOGC=400"}) {
		t.Errorf("left %v", got)
	}
}

// TestCompileReference builds nothing: it is about the work tree, which must be gone also when the build fails.
func TestCompileReference(t *testing.T) {
	root := t.TempDir()
	for _, args := range [][]string{
		{"init", "-q"},
		{"-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "--allow-empty", "-m", "empty"},
	} {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = root
		if err := quietly(cmd); err != nil {
			t.Skip(err)
		}
	}
	tree := filepath.Join(t.TempDir(), "tree")
	if err := compileReference(t.Context(), root, "HEAD", tree, filepath.Join(root, "out")); err == nil {
		t.Error("built from an empty commit")
	}
	if _, err := os.Stat(tree); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the work tree is left: %v", err)
	}
	cmd := exec.CommandContext(t.Context(), "git", "worktree", "list")
	cmd.Dir = root
	if out, err := cmd.Output(); err != nil || bytes.Contains(out, []byte(tree)) {
		t.Errorf("the repository still knows it: %s, %v", out, err)
	}
	if err := compileReference(t.Context(), root, "--help", tree, filepath.Join(root, "out")); err == nil {
		t.Error("took an option for a reference")
	}
}
