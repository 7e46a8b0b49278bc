//go:build chaos && linux

package chaos_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"streamer/integration/kafkatest"
	"streamer/integration/ledger"
	"streamer/integration/service"
)

// smallDisk has room for what the scenario writes, until something else takes it.
func smallDisk(r *rig) service.Config {
	if os.Geteuid() != 0 {
		kafkatest.Skip(r.t, kafkatest.NeedDocker, "only root can mount a small disk")
	}
	r.disk = r.t.TempDir()
	if err := syscall.Mount("tmpfs", r.disk, "tmpfs", 0, "size=256m"); err != nil {
		r.t.Fatalf("mount a small disk: %v", err)
	}
	r.t.Cleanup(func() {
		if err := syscall.Unmount(r.disk, syscall.MNT_DETACH); err != nil {
			r.t.Error(err)
		}
	})
	return service.Config{
		"sink.kafka.topic": nil, "sink.kafka.brokers": nil,
		"sink.file.directory": r.disk, "sink.file.instance": "chaos", "sink.file.rotate.size": "300KiB",
	}
}

// diskFull takes all room on the disk, in some cases kills the process then, and gives the room back.
func diskFull(r *rig) {
	filler := filepath.Join(r.disk, "filler")
	file, err := os.Create(filler)
	if err != nil {
		r.t.Fatal(err)
	}
	chunk := make([]byte, 64<<10)
	for err == nil {
		_, err = file.Write(chunk)
	}
	_ = file.Close() // full is what it should be
	r.reports(r.replicas[0], "retrying")
	if r.rand.IntN(2) == 0 {
		r.kill(r.replicas[0])
		r.start(r.replicas[0])
		r.reports(r.replicas[0], "retrying")
	}
	r.hold(upTo(r, 2*time.Second))
	if err := os.Remove(filler); err != nil {
		r.t.Fatal(err)
	}
}

// readDisk reads all lines, in the order of the files' names, which is that of their writing.
func (r *rig) readDisk(l *ledger.Ledger) {
	r.t.Helper()
	const final, lane = ".jsonl", "files"
	names, err := filepath.Glob(filepath.Join(r.disk, "*"+final+"*"))
	if err != nil {
		r.t.Fatal(err)
	}
	slices.Sort(names)
	reader := ledger.Reader{Run: r.Run}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			r.t.Fatal(err)
		}
		whole := bytes.LastIndexByte(text, '\n') + 1
		if whole < len(text) && strings.HasSuffix(name, final) {
			l.Damaged = append(l.Damaged, fmt.Errorf("%s ends in a torn line", name))
		}
		for line := range bytes.Lines(text[:whole]) {
			l.Deliver(lane, bytes.TrimSuffix(line, []byte("\n")), &reader)
		}
	}
	// Files are looked at once, at the end: until then only commits that go back can be seen.
	for i := range l.Samples {
		l.Samples[i].Readable = map[string]int{lane: len(l.Delivered[lane])}
	}
}
