package filesink

import (
	"bytes"
	"context"
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

func TestAnOpenFileIsCutBackToItsLastLineAndAdopted(t *testing.T) {
	for _, test := range []struct{ name, content, want string }{
		{"torn", "one\ntwo\nthr", "one\ntwo\n"},
		{"whole", "one\n", "one\n"},
		{"only a torn line", "on", ""},
		{"empty", "", ""},
		{"a torn line longer than the step of the search", "one\n" + strings.Repeat("x", 200_000), "one\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			directory := t.TempDir()
			const name = "streamer-host-20261122T090000Z-000007.jsonl"
			others := []string{"streamer-host2-20261122T090000Z-000009.jsonl.open", "notes.jsonl.open"}
			for _, file := range append(others, name+".open") {
				if err := os.WriteFile(filepath.Join(directory, file), []byte(test.content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			s := start(t, directory)
			write(t, s, lineBatch(1, "next"))
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(filepath.Join(directory, name))
			if want := test.want + "next\n"; err != nil || string(got) != want {
				t.Errorf("the adopted file has %.40q, %v; want %q", got, err, want)
			}
			for _, file := range others {
				if got, err := os.ReadFile(filepath.Join(directory, file)); err != nil || string(got) != test.content {
					t.Errorf("%s, which is not this instance's, was touched: %.40q, %v", file, got, err)
				}
			}
		})
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

// A disk that hangs must not hold up the stop, and what it does later must not tear what is acknowledged.
func TestAHungDiskDoesNotHoldTheContext(t *testing.T) {
	for _, operation := range []string{"create", "write", "sync"} {
		t.Run(operation, func(t *testing.T) {
			d := newMemDisk(4)
			s, err := open(Rotate{}, testNaming(), d, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			hung, release := make(chan struct{}), make(chan struct{})
			d.fault = func(op string) error {
				if op == operation {
					close(hung)
					<-release
				}
				return nil
			}
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				<-hung
				cancel()
			}()
			if err := s.Write(ctx, lineBatch(1, "one", "two")); !errors.Is(err, context.Canceled) {
				t.Fatalf("Write = %v, want context.Canceled", err)
			}
			if err := s.Write(ctx, lineBatch(1, "one")); !errors.Is(err, context.Canceled) {
				t.Fatalf("Write while the disk hangs = %v, want context.Canceled", err)
			}
			close(release)
			// The hung call still holds the model's lock until it returns; only then may the fault be taken out.
			d.mu.Lock()
			d.fault = func(string) error { return nil }
			d.mu.Unlock()
			write(t, s, lineBatch(1, "one", "two"))
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s, err = open(Rotate{}, testNaming(), d, slog.New(slog.DiscardHandler))
			if err != nil || s.Close() != nil {
				t.Fatal(err)
			}
			if lines, torn := d.lines(); strings.Join(lines, " ") != "one two" || torn != nil {
				t.Errorf("the files have %q, torn %v; want each line once", lines, torn)
			}
		})
	}
}

func TestLines(t *testing.T) {
	for _, test := range []struct{ value, want string }{
		{`{"a":1}`, "{\"a\":1}\n"},
		{"not json", "not json\n"},
		{"", "\n"},
		{"{\n  \"a\": \"x y\"\n}\n", "{\"a\":\"x y\"}\n"},
	} {
		got, err := appendLine([]byte("before\n"), []byte(test.value))
		if err != nil || string(got) != "before\n"+test.want {
			t.Errorf("appendLine(%q) = %q, %v; want %q", test.value, got, err, test.want)
		}
	}
}

func TestAValueThatCannotBeALineNamesItsRecord(t *testing.T) {
	directory := t.TempDir()
	s := start(t, directory)
	write(t, s, lineBatch(1, "one"))
	err := s.Write(t.Context(), lineBatch(2, "two", "not\njson"))
	permanent, ok := errors.AsType[*sink.PermanentError](err)
	if !ok || permanent.Origin == nil || permanent.Origin.String() != "in/0@201" {
		t.Fatalf("Write = %v, want a permanent error at in/0@201", err)
	}
	if strings.Contains(err.Error(), "not\njson") {
		t.Errorf("the error shows payload: %q", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := delivered(t, directory); len(got) != 1 || string(got[0].Value) != "one" {
		t.Errorf("the files have %q, want only what was acknowledged", got)
	}
}

func TestConfigValidate(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Directory = "out"
	if faults := cfg.Validate(); len(faults) != 0 {
		t.Errorf("the default with a directory is faulty: %v", faults)
	}
	bad := Config{Prefix: "../x", Instance: ".hidden", Rotate: Rotate{Size: -1, Interval: -1}}
	want := []string{"directory", "prefix", "instance", "rotate.size", "rotate.interval"}
	faults := bad.Validate()
	if len(faults) != len(want) {
		t.Fatalf("Validate() = %v, want a fault for each of %v", faults, want)
	}
	for i, fault := range faults {
		if fault.Field != "sink.file."+want[i] {
			t.Errorf("fault %d is about %s, want sink.file.%s", i, fault.Field, want[i])
		}
	}
}
