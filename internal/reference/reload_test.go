package reference

import (
	"context"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestReplacedFileIsLoadedAtTheNextLook(t *testing.T) {
	run(t, func(w *world) {
		before := w.table.Current()
		w.has(`{"id":"1","name":"old"}`, "1 0")
		loaded := w.metric("streamer_reference_loaded_timestamp_seconds")
		w.replace(header + "1,new\n2,too\n")
		w.wait(interval - 1)
		w.has(`{"id":"1","name":"old"}`, "1 0")
		w.wait(1)
		w.has(`{"id":"1","name":"new"}`, "2 0")
		if got := w.metric("streamer_reference_loaded_timestamp_seconds") - loaded; got != interval.Seconds() {
			w.t.Errorf("loaded %v s later", got)
		}
		if got := found(before, "1"); got != `{"id":"1","name":"old"}` {
			w.t.Errorf("a snapshot changed to %s", got)
		}
		w.told()
	})
}

// Without a change nothing is loaded: the snapshot stays the same one.
func TestUnchangedFileIsNotLoadedAgain(t *testing.T) {
	run(t, func(w *world) {
		before := w.table.Current()
		w.wait(10 * interval)
		if w.table.Current() != before {
			w.t.Error("the file was loaded again")
		}
	})
}

// A file written in place is loaded when it has not changed for a moment.
func TestFileWrittenInPlaceMustSettle(t *testing.T) {
	run(t, func(w *world) {
		w.write(header + "1,half of the n") // a table, and not the one that is meant
		w.wait(interval)
		w.has(`{"id":"1","name":"old"}`, "1 0")
		w.write(header + "1,half of the new one")
		w.wait(settle)
		w.has(`{"id":"1","name":"old"}`, "1 0")
		w.write(header + "1,half of the new one, \n2,now whole\n")
		w.write(header + "1,whole\n2,row\n")
		w.wait(settle)
		w.has(`{"id":"1","name":"old"}`, "1 0")
		w.wait(settle)
		w.has(`{"id":"1","name":"whole"}`, "2 0")
		w.told()
	})
}

// Same size, same file, another time.
func TestTimeOfModificationCounts(t *testing.T) {
	run(t, func(w *world) {
		w.write(header + "1,new\n")
		if err := os.Chtimes(w.config.File, time.Time{}, time.Now().Add(time.Hour)); err != nil {
			w.t.Fatal(err)
		}
		w.wait(interval + settle)
		w.has(`{"id":"1","name":"new"}`, "1 0")
	})
}

// Same time, same file, another size.
func TestSizeCounts(t *testing.T) {
	run(t, func(w *world) {
		info, err := os.Stat(w.config.File)
		if err != nil {
			w.t.Fatal(err)
		}
		w.write(header + "1,new one\n")
		if err := os.Chtimes(w.config.File, time.Time{}, info.ModTime()); err != nil {
			w.t.Fatal(err)
		}
		w.wait(interval + settle)
		w.has(`{"id":"1","name":"new one"}`, "1 0")
	})
}

// Same size and time, another file.
func TestInodeCounts(t *testing.T) {
	run(t, func(w *world) {
		info, err := os.Stat(w.config.File)
		if err != nil {
			w.t.Fatal(err)
		}
		w.replace(header + "1,new\n")
		if err := os.Chtimes(w.config.File, time.Time{}, info.ModTime()); err != nil {
			w.t.Fatal(err)
		}
		w.wait(interval)
		w.has(`{"id":"1","name":"new"}`, "1 0")
	})
}

// What a Kubernetes ConfigMap does: the name is a link, and the link is replaced.
func TestReplacedLink(t *testing.T) {
	run(t, func(w *world) {
		target := write(w.t, "target.csv", header+"1,new\n")
		if err := os.Symlink(target, w.config.File+".new"); err != nil {
			w.t.Fatal(err)
		}
		if err := os.Rename(w.config.File+".new", w.config.File); err != nil {
			w.t.Fatal(err)
		}
		w.wait(interval)
		w.has(`{"id":"1","name":"new"}`, "1 0")
	})
}

func TestBrokenFileKeepsTheOldRows(t *testing.T) {
	run(t, func(w *world) {
		w.replace(header + "1,secret,x\n")
		w.wait(3 * interval)
		w.has(`{"id":"1","name":"old"}`, "1 3")
		w.told(`line 2: cells: 3, columns in the header: 2`)
		w.replace(header + "1,other,secret,y\n") // broken in another way
		w.wait(interval)
		w.replace(header + "2,other,secret,z\n") // and in the same way again: another change
		w.wait(interval)
		w.has(`{"id":"1","name":"old"}`, "1 5")
		w.told("line 2: cells: 4", "line 2: cells: 4")
		w.replace(header + "1,a\n1,b\n")
		w.wait(interval)
		w.told("line 3: the row has the same key as the one in line 2")
		w.write(header + "1,mended\n")
		w.wait(interval + settle)
		w.has(`{"id":"1","name":"mended"}`, "1 6")
		w.told()
	})
}

func TestMissingFileKeepsTheOldRows(t *testing.T) {
	run(t, func(w *world) {
		away := w.config.File + ".away"
		if err := os.Rename(w.config.File, away); err != nil {
			w.t.Fatal(err)
		}
		w.wait(2 * interval)
		w.has(`{"id":"1","name":"old"}`, "1 2")
		w.told("no such file or directory")
		if err := os.Rename(away, w.config.File); err != nil {
			w.t.Fatal(err)
		}
		w.wait(3 * interval)
		w.has(`{"id":"1","name":"old"}`, "1 2")
		w.told()
	})
}

// Opening a pipe would wait for ever for somebody to write to it.
func TestPipeIsRefused(t *testing.T) {
	run(t, func(w *world) {
		if err := syscall.Mkfifo(w.config.File+".new", 0o600); err != nil {
			w.t.Fatal(err)
		}
		if err := os.Rename(w.config.File+".new", w.config.File); err != nil {
			w.t.Fatal(err)
		}
		w.wait(2 * interval)
		w.has(`{"id":"1","name":"old"}`, "1 2")
		w.told("it is not a regular file; write the path of one")
	})
}

func TestLargeFileKeepsTheOldRows(t *testing.T) {
	run(t, func(w *world) {
		w.replace(header + strings.Repeat("x", 64<<20))
		w.wait(interval)
		w.has(`{"id":"1","name":"old"}`, "1 1")
		w.told("the file is larger than 64MiB; raise max_bytes, or make the file smaller")
	})
}

// The race detector watches readers beside a reload.
func TestReadersBesideReload(t *testing.T) {
	run(t, func(w *world) {
		var readers sync.WaitGroup
		ctx, cancel := context.WithCancel(w.t.Context())
		for range 3 {
			readers.Go(func() {
				for ctx.Err() == nil {
					if got := found(w.table.Current(), "1"); got != `{"id":"1","name":"old"}` && got != `{"id":"1","name":"new"}` {
						w.t.Errorf("row is %s", got)
					}
					time.Sleep(interval / 7)
				}
			})
		}
		w.replace(header + "1,new\n")
		w.wait(2 * interval)
		cancel()
		readers.Wait()
	})
}
