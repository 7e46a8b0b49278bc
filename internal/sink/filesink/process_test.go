//go:build linux

package filesink

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"streamer/internal/sink"
	"streamer/internal/sink/sinktest"
)

// childDirectory makes this test binary the process that is killed.
const childDirectory = "STREAMER_FILESINK_CHILD"

func TestMain(m *testing.M) {
	if directory := os.Getenv(childDirectory); directory != "" {
		child(directory)
		return
	}
	goleak.VerifyTestMain(m)
}

// deadlyDisk kills its process between the sync of a full file and the rename.
type deadlyDisk struct{ osDisk }

func (deadlyDisk) rename(string, string) error {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// child writes batches and prints each acknowledged line, until the first rotation kills it.
func child(directory string) {
	names := naming{directory: directory, stem: "streamer-host-"}
	s, err := open(Rotate{Size: 4096}, names, deadlyDisk{}, slog.New(slog.DiscardHandler))
	if err != nil {
		panic(err)
	}
	for id := int64(0); ; id++ {
		batch := sinktest.Batch(uint64(id), sinktest.Numbered(0, id*10, 10))
		if err := s.Write(context.Background(), batch); err != nil {
			panic(err)
		}
		for _, out := range batch.Outputs {
			_, _ = fmt.Fprintf(os.Stdout, "%s\n", out.Value)
		}
	}
}

func TestKilledBetweenSyncAndRename(t *testing.T) {
	directory := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), self)
	command.Env = append(os.Environ(), childDirectory+"="+directory)
	printed, err := command.Output()
	if command.ProcessState == nil || command.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the child was not killed: %v", err)
	}
	var acked []string
	for lines := bufio.NewScanner(bytes.NewReader(printed)); lines.Scan(); {
		acked = append(acked, lines.Text())
	}
	if len(acked) < 100 {
		t.Fatalf("the child had %d lines acknowledged before it was killed, want some hundred", len(acked))
	}
	if names := fileNames(t, directory); len(names) != 1 || !strings.HasSuffix(names[0], openSuffix) {
		t.Fatalf("files after the kill: %v, want the open one", names)
	}
	if err := start(t, directory).Close(); err != nil {
		t.Fatal(err)
	}
	if names := fileNames(t, directory); len(names) != 1 || strings.HasSuffix(names[0], openSuffix) {
		t.Errorf("files after the restart: %v, want the one under its final name", names)
	}
	got := delivered(t, directory)
	for i, line := range acked {
		if i >= len(got) || string(got[i].Value) != line {
			t.Fatalf("acknowledged line %d, %q, is missing", i, line)
		}
	}
}

// A real file system that is really full.
func TestFullFileSystem(t *testing.T) {
	directory := t.TempDir()
	if err := syscall.Mount("tmpfs", directory, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("cannot mount a small tmpfs (needs root): %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(directory, 0); err != nil {
			t.Error(err)
		}
	})
	ballast := directory + "/ballast"
	if err := os.WriteFile(ballast, make([]byte, 40<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, directory)
	write(t, s, sinktest.Batch(1, sinktest.Numbered(0, 0, 100)))
	large := sinktest.Batch(2, sinktest.Numbered(0, 100, 1000)) // 30 KB: fits only without the ballast
	for range 3 {
		if err := s.Write(t.Context(), large); sink.Classify(err) != sink.Retryable {
			t.Fatalf("Write on a full file system = %v, want a retryable error", err)
		}
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	write(t, s, large)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := delivered(t, directory); len(got) != 1100 {
		t.Errorf("%d whole lines in the files, want 1100", len(got))
	}
}
