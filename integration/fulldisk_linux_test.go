package integration_test

import (
	"fmt"
	"os"
	"syscall"
	"testing"

	"streamer/integration/kafkatest"
	"streamer/integration/ledger"
	"streamer/integration/service"
)

// TestFullDisk fills the disk in the middle of a line. It would catch a torn line that is left in the file, a commit of
// what was not written, and a sink that does not go on when there is room again.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		kafkatest.Skip(t, kafkatest.NeedDocker, "only root can mount a small disk")
	}
	const partitions, each = 4, 10_000 // some 5 MB
	f := newFlow(t, partitions)
	f.fill(t, ledger.Each(partitions, each)...)
	dir := t.TempDir()
	mount(t, dir, 0, "size=1m")
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	s := binary.Start(t, f.config().With(fileSink(dir)).With(service.Config{"sink.file.rotate.size": "300KiB"}))
	s.UntilStatus(t, "the sink to retry", func(status *service.Status) error {
		if status.Sink.State != "retrying" || status.Sink.LastError == "" {
			return fmt.Errorf("sink is %q, last error %q", status.Sink.State, status.Sink.LastError)
		}
		return nil
	})
	if err := s.Live(t.Context()); err != nil {
		t.Errorf("a full disk is no reason to be restarted: %v", err)
	}
	for _, name := range list(t, dir, finalSuffix) {
		t.Logf("%s is complete", name)
	}
	s.Crash(t)
	f.checkFiles(t, dir)

	s = binary.Start(t, f.config().With(fileSink(dir)))
	s.UntilStatus(t, "the sink to retry again", func(status *service.Status) error {
		if status.Sink.State != "retrying" {
			return fmt.Errorf("sink is %q", status.Sink.State)
		}
		return nil
	})
	mount(t, dir, syscall.MS_REMOUNT, "size=32m")
	s.Until(t, "the group to catch up on a larger disk", f.caughtUp)
	s.Terminate(t)
	report := f.checkFiles(t, dir)
	if err := report.AtLeastOnce(); err != nil {
		t.Error(err)
	}
}

func mount(t *testing.T, dir string, flags uintptr, options string) {
	t.Helper()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", flags, options); err != nil {
		t.Fatalf("mount a small disk: %v", err)
	}
}
