package demo

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"streamer/internal/admin"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// exampleFrame is a busy moment: a surge on partition 4, one batch being written.
func exampleFrame() Frame {
	now := time.Date(2026, 11, 22, 12, 0, 30, 0, time.UTC)
	frame := Frame{
		Now: now, Elapsed: 23 * time.Second, Limit: time.Minute, Admin: "127.0.0.1:4040", Between: 2 * time.Second,
		In:   []float64{1000, 12000, 20000, 24000, 22000, 40000, 38000, 41000},
		Out:  []float64{0, 7000, 13000, 15000, 14000, 25000, 24000, 26000},
		Busy: 2.6, Verified: 301_733, Note: surgeNote(23 * time.Second),
	}
	states := []string{
		admin.StateFetching, admin.StateProcessing, admin.StateIdle, admin.StatePausedMemory, admin.StateRetrying,
		admin.StateSinkBlocked, admin.StateBrokerLost, admin.StateDraining,
	}
	for p := range int32(partitions) {
		was := admin.Partition{Topic: inputTopic, Partition: p, Records: 1000 * int64(p), State: admin.StateIdle}
		is := was
		is.Records += 10_000 >> p
		is.Lag = []int64{12, 0, 1_234_567, 80_000, 3, 99, 12_000, -1}[p]
		is.State = states[p]
		frame.Previous.Partitions = append(frame.Previous.Partitions, was)
		frame.Status.Partitions = append(frame.Status.Partitions, is)
	}
	frame.Status.State = admin.StateProcessing
	frame.Status.Workers = admin.Workers{Total: 4, Queued: 17}
	frame.Status.Memory = admin.Memory{UsedBytes: 13_000_000, BudgetBytes: 256 << 20}
	frame.Previous.Totals = admin.Totals{Received: 400_000, Delivered: 260_000}
	frame.Status.Totals = admin.Totals{Received: 482_000, Delivered: 312_000, Batches: 23}
	for i := range 12 {
		frame.Status.Batches = append(frame.Status.Batches, admin.Batch{
			ID: uint64(12 + i), Cut: "interval", Records: 13_000 * (1 + i%3), Blocks: 71 + i, Partitions: 8,
			Closed:          now.Add(time.Duration(i-11)*time.Second - 400*time.Millisecond),
			SchedulingDelay: 0.001 + float64(i%4)*0.2, ProcessingTime: 0.004 + float64(i%2)*0.3, TotalDelay: 1.3 + float64(i%4)*0.2,
		})
	}
	return frame
}

func TestFrameGolden(t *testing.T) {
	t.Parallel()
	busy, first := exampleFrame(), Frame{Admin: "127.0.0.1:4040", Now: time.Unix(0, 0), Note: surgeNote(0)}
	troubled := exampleFrame()
	troubled.Faults, troubled.Stopping = 3, true
	troubled.Warning = `level=WARN msg="write failed, will retry" attempt=3 error="connection refused"`
	tests := map[string]struct {
		frame  Frame
		screen Screen
	}{
		"wide":     {busy, Screen{Width: 132, Height: 43}},
		"usual":    {busy, Screen{Width: 100, Height: 30}},
		"small":    {busy, Screen{Width: 80, Height: 24}},
		"narrow":   {busy, Screen{Width: 40, Height: 50}},
		"flat":     {busy, Screen{Width: 100, Height: 8}},
		"colours":  {busy, Screen{Width: 100, Height: 30, Colours: true}},
		"first":    {first, Screen{Width: 80, Height: 24}},
		"troubled": {troubled, Screen{Width: 100, Height: 40}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden(t, name, strings.Join(test.frame.Render(test.screen), "\n")+"\n")
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	old, drawn := strings.Split(string(want), "\n"), strings.Split(got, "\n")
	for i := range min(len(old), len(drawn)) {
		if old[i] != drawn[i] {
			t.Fatalf("line %d differs from %s (rewrite it with -update):\n%s\nwant\n%s", i+1, file, drawn[i], old[i])
		}
	}
	if len(old) != len(drawn) {
		t.Errorf("%d lines, %s has %d (rewrite it with -update)", len(drawn), file, len(old))
	}
}

// Drawing in place counts lines: one that wraps or one too many and the picture climbs up the screen.
func TestFrameFitsAnyScreen(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		screen := Screen{Width: rapid.IntRange(1, 300).Draw(r, "width"), Height: rapid.IntRange(1, 100).Draw(r, "height")}
		frame := exampleFrame()
		frame.Status.Partitions = frame.Status.Partitions[:rapid.IntRange(0, partitions).Draw(r, "partitions")]
		frame.Status.Batches = frame.Status.Batches[:rapid.IntRange(0, 12).Draw(r, "batches")]
		frame.Now = frame.Now.Add(time.Duration(rapid.IntRange(-20, 20).Draw(r, "ahead")) * time.Second)
		lines := frame.Render(screen)
		if len(lines) > max(1, screen.Height-1) {
			r.Errorf("%d lines on a screen of %d", len(lines), screen.Height)
		}
		for _, l := range lines {
			if n := utf8.RuneCountInString(l); n > screen.Width {
				r.Errorf("%d columns on a screen of %d: %s", n, screen.Width, l)
			}
		}
	})
}

func TestRedraw(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		drawn   int
		resized bool
		want    string
	}{
		"first":    {0, false, "a\x1b[K\nb\x1b[K\n\x1b[J"},
		"over two": {2, false, "\x1b[2A\ra\x1b[K\nb\x1b[K\n\x1b[J"},
		"resized":  {2, true, "\x1b[2J\x1b[Ha\x1b[K\nb\x1b[K\n\x1b[J"},
	}
	for name, test := range tests {
		if got := redraw([]string{"a", "b"}, test.drawn, test.resized); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestLine(t *testing.T) {
	t.Parallel()
	frame := exampleFrame()
	want := "00:23  in 41,000/s  out 26,000/s  lag 1,326,681  82 blocks/batch  delay 1.90 s  workers 2.6/4  " +
		"memory 12.4 MiB  checked 301,733"
	if got := frame.Line(); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	frame.Faults = 2
	if got := frame.Line(); got != want+"  FAULTS 2" {
		t.Errorf("faults do not show: %s", got)
	}
}

func TestBar(t *testing.T) {
	t.Parallel()
	tests := []struct {
		value, full float64
		want        string
	}{
		{0, 10, "    "},
		{10, 10, "████"},
		{20, 10, "████"},
		{5, 10, "██  "},
		{0.0001, 10, "▏   "},
		{3.5, 10, "█▍  "},
		{-1, 10, "    "},
		{1, 0, "▏   "},
	}
	for _, test := range tests {
		if got := bar(test.value, test.full, 4); got != test.want {
			t.Errorf("bar(%v of %v) = %q, want %q", test.value, test.full, got, test.want)
		}
	}
	if got := bar(1, 1, -3); got != "" {
		t.Errorf("a bar without room is %q", got)
	}
}

func TestSparkline(t *testing.T) {
	t.Parallel()
	tests := []struct {
		values []float64
		want   string
	}{
		{nil, "    "},
		{[]float64{0, 0}, "  ▁▁"},
		{[]float64{7, 0, 1, 7, 3.5}, "▁▂█▅"},
	}
	for _, test := range tests {
		if got := sparkline(test.values, 4); got != test.want {
			t.Errorf("sparkline(%v) = %q, want %q", test.values, got, test.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1_234_567: "1,234,567", -1: "–"} {
		if got := count(n); got != want {
			t.Errorf("count(%d) = %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 1536: "1.5 KiB", 5 << 20: "5.0 MiB", 3 << 30: "3.0 GiB"} {
		if got := size(n); got != want {
			t.Errorf("size(%d) = %q, want %q", n, got, want)
		}
	}
	for s, want := range map[float64]string{0: "0 ms", 0.0126: "13 ms", 1.019: "1.02 s"} {
		if got := seconds(s); got != want {
			t.Errorf("seconds(%v) = %q, want %q", s, got, want)
		}
	}
	if got := clock(3*time.Minute + 4600*time.Millisecond); got != "03:05" {
		t.Errorf("clock = %q", got)
	}
}

func ExampleSummary_Lines() {
	summary := Summary{Elapsed: 2 * time.Second, Batches: 2}
	summary.Partitions[0] = PartitionReport{Produced: 100, Expected: 65, Arrived: 65}
	summary.Partitions[1] = PartitionReport{Produced: 10, Expected: 6, Arrived: 5, Faults: Faults{Missing: 1}}
	for _, l := range summary.Lines()[4:6] {
		fmt.Println(l)
	}
	fmt.Println(summary.Lines()[14])
	summary.Partitions[1] = PartitionReport{}
	fmt.Println(summary.Lines()[14])
	// Output:
	// events/0          100         65         65       0     0     0     0     0
	// events/1           10          6          5       1     0     0     0     0
	// NO: check output: 1 missing, 0 duplicate, 0 out of order, 0 unexpected, 0 altered
	// Yes: each of 65 views came out exactly once, in order, with the right bytes.
	// 100 events in 2 batches, 50/s.
}
