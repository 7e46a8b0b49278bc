package filesink

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"streamer/internal/record"
	"streamer/internal/setting"
	"streamer/internal/sink"
	"streamer/internal/sink/sinktest"
)

// fullDisk is the real file system on which writes can be made to fail in the middle of a line.
type fullDisk struct {
	osDisk
	full *atomic.Bool
}

type fullFile struct {
	file
	full *atomic.Bool
}

func (d fullDisk) create(path string) (file, error) {
	f, err := d.osDisk.create(path)
	return fullFile{f, d.full}, err
}

func (f fullFile) Write(p []byte) (int, error) {
	if !f.full.Load() {
		return f.file.Write(p)
	}
	n, err := f.file.Write(p[:len(p)/2])
	return n, errors.Join(err, &fs.PathError{Op: "write", Err: syscall.ENOSPC})
}

func TestConformance(t *testing.T) {
	sinktest.Run(t, func(t *testing.T) sinktest.Harness {
		directory, full := t.TempDir(), new(atomic.Bool)
		names := naming{directory: directory, stem: "streamer-host-"}
		s, err := open(DefaultConfig().Rotate, names, fullDisk{full: full}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		return sinktest.Harness{
			Sink:      s,
			Delivered: func(t *testing.T) []sinktest.Delivered { return delivered(t, directory) },
			Break: func() func() {
				full.Store(true)
				return func() { full.Store(false) }
			},
			Refusable: func() []byte { return []byte("torn\nline") },
			Tombstone: []byte("null"),
		}
	})
}

// delivered reads the lines of all files, open ones too, in the order of their names.
func delivered(t *testing.T, directory string) []sinktest.Delivered {
	t.Helper()
	var all []sinktest.Delivered
	for _, name := range fileNames(t, directory) {
		data, err := os.ReadFile(filepath.Join(directory, name))
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(data) {
			value, whole := bytes.CutSuffix(line, []byte("\n"))
			if !whole {
				t.Errorf("%s: torn line %q", name, line)
			}
			all = append(all, sinktest.Delivered{Value: value})
		}
	}
	return all
}

// fileNames lists the directory without the lock.
func fileNames(t *testing.T, directory string) []string {
	t.Helper()
	names, err := osDisk{}.list(directory)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(names, func(name string) bool { return strings.HasPrefix(name, ".") })
}

func start(t *testing.T, directory string) *Sink {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Directory, cfg.Instance = directory, "host"
	s, err := New(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func write(t *testing.T, s sink.Sink, batches ...*record.Batch) {
	t.Helper()
	for _, batch := range batches {
		if err := s.Write(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheOpenFileIsNeverSeenUnderItsFinalName(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "made", "here")
	s := start(t, directory)
	write(t, s, lineBatch(1, "one"))
	if names := fileNames(t, directory); len(names) != 1 || !strings.HasSuffix(names[0], "-000001.jsonl.open") {
		t.Errorf("files while open: %v", names)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if names := fileNames(t, directory); len(names) != 1 || !strings.HasSuffix(names[0], "-000001.jsonl") {
		t.Errorf("files after Close: %v", names)
	}
	s = start(t, directory)
	write(t, s, lineBatch(2, "two"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if names := fileNames(t, directory); len(names) != 2 || !strings.HasSuffix(names[1], "-000002.jsonl") {
		t.Errorf("files after the second run: %v", names)
	}
}

func TestASecondProcessIsRefused(t *testing.T) {
	directory := t.TempDir()
	first := start(t, directory)
	cfg := DefaultConfig()
	cfg.Directory, cfg.Instance = directory, "host"
	_, err := New(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if !errors.Is(err, errInUse) || !strings.Contains(err.Error(), "sink.file.instance") {
		t.Errorf("New = %v, want errInUse with its remedy", err)
	}
	cfg.Instance = "other"
	second, err := New(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatalf("another instance in the same directory: %v", err)
	}
	if err := errors.Join(first.Close(), second.Close()); err != nil {
		t.Fatal(err)
	}
	if err := start(t, directory).Close(); err != nil {
		t.Errorf("after Close the lock is free again, but: %v", err)
	}
}

func TestRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newMemDisk(3)
		rotate := Rotate{Size: 10, Interval: setting.Duration(time.Minute)}
		s, err := open(rotate, testNaming(), d, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		expect := func(final, unfinished int) {
			t.Helper()
			synctest.Wait()
			d.mu.Lock()
			defer d.mu.Unlock()
			var got int
			for path := range d.names {
				if strings.HasSuffix(path, openSuffix) {
					got++
				}
			}
			if len(d.names)-got != final || got != unfinished {
				t.Errorf("%d final and %d open files, want %d and %d", len(d.names)-got, got, final, unfinished)
			}
		}
		write(t, s, lineBatch(1, "four"))
		expect(0, 1)
		write(t, s, lineBatch(2, "seven..")) // 13 bytes
		expect(1, 0)
		write(t, s, lineBatch(3, "a"))
		expect(1, 1)
		time.Sleep(59 * time.Second)
		expect(1, 1)
		time.Sleep(time.Second) // no batch comes, the timer does it
		expect(2, 0)
		time.Sleep(time.Hour)
		write(t, s, sinktest.Batch(4)) // nothing to write makes no file
		expect(2, 0)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		expect(2, 0)
	})
}
