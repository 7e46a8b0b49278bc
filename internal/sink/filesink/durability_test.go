package filesink

import (
	"fmt"
	"log/slog"
	"strings"
	"syscall"
	"testing"

	"pgregory.net/rapid"

	"streamer/internal/record"
	"streamer/internal/sink"
	"streamer/internal/sink/sinktest"
)

func testNaming() naming { return naming{directory: "dir", stem: "streamer-host-"} }

// world runs one sink after another on one disk that fails and crashes, and knows what was acknowledged.
type world struct {
	t     *rapid.T
	disk  *memDisk
	sink  *Sink
	acked []string
	valid map[string]bool
	odds  int // faults per 100 operations
}

func (w *world) start() {
	w.disk.fault = func(string) error { return nil }
	s, err := open(Rotate{Size: 300}, testNaming(), w.disk, slog.New(slog.DiscardHandler))
	if err != nil {
		w.t.Fatalf("start on a healthy disk: %v", err)
	}
	w.sink = s
	random, odds := w.disk.random, w.odds
	w.disk.fault = func(string) error {
		if random.IntN(100) >= odds {
			return nil
		}
		return []error{syscall.ENOSPC, syscall.EIO}[random.IntN(2)]
	}
}

// write tries the batch a few times, as the writer would.
func (w *world) write(batch *record.Batch) {
	for range 3 {
		err := w.sink.Write(w.t.Context(), batch)
		if err == nil {
			for _, out := range batch.Outputs {
				w.acked = append(w.acked, string(out.Value))
			}
			return
		}
		if sink.Classify(err) != sink.Retryable {
			w.t.Fatalf("Write = %v, want a retryable error", err)
		}
	}
}

// check holds the invariants: whole lines only, and all that was acknowledged, in order.
func (w *world) check() {
	lines, torn := w.disk.lines()
	if len(torn) > 0 {
		w.t.Fatalf("torn files: %v", torn)
	}
	next := 0
	for _, line := range lines {
		if !w.valid[line] {
			w.t.Fatalf("line %q was never written", line)
		}
		if next < len(w.acked) && line == w.acked[next] {
			next++
		}
	}
	if next < len(w.acked) {
		w.t.Fatalf("acknowledged line %q is missing or out of order; %d of %d found", w.acked[next], next, len(w.acked))
	}
}

// What is acknowledged stays, and no line is torn, whatever fails and whenever power or process go.
func TestNoAcknowledgedLineIsLostOrTorn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{
			t: t, disk: newMemDisk(rapid.Uint64().Draw(t, "seed")), valid: map[string]bool{},
			odds: rapid.IntRange(0, 40).Draw(t, "odds"),
		}
		w.start()
		for step := range rapid.IntRange(1, 12).Draw(t, "steps") {
			block := sinktest.Numbered(0, int64(step*10), rapid.IntRange(1, 6).Draw(t, "lines"))
			for _, out := range block.Out {
				w.valid[string(out.Value)] = true
			}
			w.write(sinktest.Batch(uint64(step), block))
			switch rapid.SampledFrom([]string{"go on", "go on", "close", "kill", "power off"}).Draw(t, "then") {
			case "close":
				_ = w.sink.Close() // may fail; then the next start mends it
				w.disk.restart()
				w.start()
			case "kill":
				w.disk.restart()
				w.start()
			case "power off":
				w.disk = w.disk.powerLoss()
				w.start()
			}
		}
		w.disk = w.disk.powerLoss()
		w.start()
		w.check()
	})
}

// failNth makes the nth call of the operation fail.
func (d *memDisk) failNth(operation string, nth int, with error) {
	d.fault = func(op string) error {
		if op == operation {
			if nth--; nth == 0 {
				return with
			}
		}
		return nil
	}
}

func lineBatch(id uint64, lines ...string) *record.Batch {
	outputs := make([]record.Output, len(lines))
	for i, line := range lines {
		outputs[i].Value = []byte(line)
	}
	return sinktest.Batch(id, sinktest.Block(0, int64(id)*100, outputs...))
}

// After a failed sync the kernel may report success and still have lost the pages: the lines must go to a new file.
func TestAFailedSyncWritesToANewFile(t *testing.T) {
	d := newMemDisk(1)
	s, err := open(Rotate{}, testNaming(), d, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Write(t.Context(), lineBatch(1, "one")); err != nil {
		t.Fatal(err)
	}
	d.failNth("sync", 1, syscall.EIO)
	if err := s.Write(t.Context(), lineBatch(2, "two")); sink.Classify(err) != sink.Retryable {
		t.Fatalf("Write = %v, want a retryable error", err)
	}
	if err := s.Write(t.Context(), lineBatch(2, "two")); err != nil {
		t.Fatal(err)
	}
	if len(d.names) != 2 {
		t.Errorf("%d files, want the one that failed, under its final name, and a new one", len(d.names))
	}
	after := d.powerLoss()
	if lines, torn := after.lines(); strings.Join(lines, " ") != "one two" || torn != nil {
		t.Errorf("after a loss of power the files have %q, torn %v; want one two", lines, torn)
	}
}

func TestAFullDiskLeavesNoTornLineAndNoSecondFile(t *testing.T) {
	d := newMemDisk(2)
	s, err := open(Rotate{}, testNaming(), d, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Write(t.Context(), lineBatch(1, "one")); err != nil {
		t.Fatal(err)
	}
	for nth := range 20 {
		d.failNth("write", 1, errNoSpace())
		if err := s.Write(t.Context(), lineBatch(2, "two", "three")); sink.Classify(err) != sink.Retryable {
			t.Fatalf("Write %d = %v, want a retryable error", nth, err)
		}
		if lines, torn := d.lines(); fmt.Sprint(lines) != "[one]" || torn != nil {
			t.Fatalf("after a failed write the file has %q, torn %v; want what is acknowledged", lines, torn)
		}
	}
	if len(d.names) != 1 {
		t.Errorf("%d files, want the one", len(d.names))
	}
}
