package integration_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"streamer/integration/ledger"
	"streamer/integration/service"
)

// The endings of a file that readers may take, and of the one that is being written.
const (
	finalSuffix = ".jsonl"
	openSuffix  = ".jsonl.open"
)

// fileLane is the lane of all files together: their names sort in the order of writing.
const fileLane = "files"

// TestFileSinkKilled kills the service while files are rotated many times a second. It would catch a torn line under a
// final name, lines that were acknowledged and are gone, and an open file that is not found again. Once the kill is put
// between fsync and rename: the disk then has all lines, under the open name.
func TestFileSinkKilled(t *testing.T) {
	t.Parallel()
	f := newFlow(t, 4)
	dir := t.TempDir()
	config := f.config().With(fileSink(dir)).With(service.Config{"sink.file.rotate.size": "64KiB", "batch.interval": "20ms"})
	stop := f.stream(t, 40)
	for round := range restarts {
		s := binary.Start(t, config)
		f.progressed(t, s, 5_000)
		s.Crash(t)
		f.checkFiles(t, dir)
		if round == 1 {
			unrename(t, dir)
		}
	}
	stop()
	s := binary.Start(t, config)
	s.Until(t, "the group to catch up", f.caughtUp)
	s.Terminate(t)
	if open := list(t, dir, openSuffix); len(open) > 0 {
		t.Errorf("open files after a clean stop: %v", open)
	}
	report := f.checkFiles(t, dir)
	if len(report.Lost) > 0 {
		t.Errorf("%d records lost, such as %v", len(report.Lost), report.Lost[0])
	}
}

// TestFileSinkStops would catch a clean stop that leaves the last file open, or that delivers twice.
func TestFileSinkStops(t *testing.T) {
	t.Parallel()
	f := newFlow(t, 4)
	dir := t.TempDir()
	config := f.config().With(fileSink(dir))
	stop := f.stream(t, 40)
	for range restarts {
		s := binary.Start(t, config)
		f.progressed(t, s, 5_000)
		s.Terminate(t)
		if open := list(t, dir, openSuffix); len(open) > 0 {
			t.Errorf("open files after a clean stop: %v", open)
		}
	}
	stop()
	s := binary.Start(t, config)
	s.Until(t, "the group to catch up", f.caughtUp)
	s.Terminate(t)
	if err := f.checkFiles(t, dir).ExactlyOnce(); err != nil {
		t.Error(err)
	}
}

func fileSink(dir string) service.Config {
	return service.Config{"sink.kafka.topic": nil, "sink.file.directory": dir, "sink.file.instance": "test"}
}

// checkFiles reads the files of a service that does not run, and checks them against what is committed.
func (f *flow) checkFiles(t *testing.T, dir string) *ledger.Report {
	t.Helper()
	l, err := ledger.ReadInput(t.Context(), f.broker.Addrs, f.Run, f.Topic)
	if err != nil {
		t.Fatal(err)
	}
	committed, err := ledger.Committed(t.Context(), f.admin, f.group, f.Topic)
	if err != nil {
		t.Fatal(err)
	}
	reader := ledger.Reader{Run: f.Run}
	for _, name := range list(t, dir, "") {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		whole := bytes.LastIndexByte(text, '\n') + 1
		if whole < len(text) && strings.HasSuffix(name, finalSuffix) {
			t.Errorf("%s ends in a torn line: %.80q", name, text[whole:])
		}
		for line := range bytes.Lines(text[:whole]) {
			l.Deliver(fileLane, bytes.TrimSuffix(line, []byte("\n")), &reader)
		}
	}
	l.Samples = []ledger.Sample{{
		Committed: committed, Readable: map[string]int{fileLane: len(l.Delivered[fileLane])},
	}}
	report := l.Check()
	t.Log(report)
	found := *report
	found.Lost = nil // what is not committed yet is still to come
	if err := found.AtLeastOnce(); err != nil {
		t.Error(err)
	}
	return report
}

// list returns the files whose names have the suffix, all data files if it is empty, in the order of writing.
func list(t *testing.T, dir, suffix string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		name := entry.Name()
		isData := strings.HasSuffix(name, finalSuffix) || strings.HasSuffix(name, openSuffix)
		if isData && strings.HasSuffix(name, suffix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// unrename puts the directory into the state that a kill between fsync and rename leaves. When the kill came later, the
// file that was opened after the rename is removed, if nothing is in it, and the rename undone; a file with lines in it
// was being written, and that is such a state already.
func unrename(t *testing.T, dir string) {
	t.Helper()
	for _, name := range list(t, dir, openSuffix) {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > 0 {
			return
		}
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	final := list(t, dir, finalSuffix)
	if len(final) == 0 {
		t.Fatal(fmt.Errorf("%w: no file was rotated", errNotYet))
	}
	last := filepath.Join(dir, final[len(final)-1])
	if err := os.Rename(last, strings.TrimSuffix(last, finalSuffix)+openSuffix); err != nil {
		t.Fatal(err)
	}
}
