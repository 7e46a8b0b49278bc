package stdoutsink_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"streamer/internal/record"
	"streamer/internal/sink"
	"streamer/internal/sink/sinktest"
	"streamer/internal/sink/stdoutsink"
)

// disk is a writer that can be full: then it takes a few bytes more, so that lines are torn, and fails.
type disk struct {
	mu    sync.Mutex
	bytes bytes.Buffer
	full  bool
}

func (d *disk) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.full {
		return d.bytes.Write(p)
	}
	n, _ := d.bytes.Write(p[:min(10, len(p))])
	return n, &os.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.ENOSPC}
}

func (d *disk) setFull(full bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.full = full
}

func (d *disk) delivered(*testing.T) []sinktest.Delivered {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []sinktest.Delivered
	for line := range bytes.Lines(bytes.Clone(d.bytes.Bytes())) {
		all = append(all, sinktest.Delivered{Value: bytes.TrimSuffix(line, []byte("\n"))})
	}
	return all
}

func TestConformance(t *testing.T) {
	sinktest.Run(t, func(*testing.T) sinktest.Harness {
		d := &disk{}
		return sinktest.Harness{
			Sink:      stdoutsink.New(d),
			Delivered: d.delivered,
			Break: func() func() {
				d.setFull(true)
				return func() { d.setFull(false) }
			},
			Tombstone: []byte("null"),
		}
	})
}

func TestAFullDiskTearsAndRepeatsNoLine(t *testing.T) {
	d := &disk{}
	s := stdoutsink.New(d)
	batch := sinktest.Batch(1, sinktest.Numbered(0, 0, 3000), sinktest.Numbered(0, 3000, 3000)) // more than one chunk
	d.setFull(true)
	for range 3 {
		if err := s.Write(t.Context(), batch); sink.Classify(err) != sink.Retryable {
			t.Fatalf("Write on a full disk = %v, want a retryable error", err)
		}
	}
	d.setFull(false)
	if err := s.Write(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for _, out := range batch.Outputs {
		want.Write(out.Value)
		want.WriteByte('\n')
	}
	if d.bytes.String() != want.String() {
		t.Errorf("wrote %d bytes, want %d: each line once and whole", d.bytes.Len(), want.Len())
	}
}

func TestAReaderThatWentAwayIsPermanent(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	_ = r.Close()
	err = stdoutsink.New(w).Write(t.Context(), sinktest.Batch(1, sinktest.Numbered(0, 0, 1)))
	if sink.Classify(err) != sink.Permanent || !errors.Is(err, syscall.EPIPE) {
		t.Errorf("Write to a closed pipe = %v (%s), want a permanent EPIPE", err, sink.Classify(err))
	}
}

// A pipe that nobody reads must not hold up the stop, and what was left in it must not be written twice.
func TestAPipeNobodyReadsDoesNotHoldTheContext(t *testing.T) {
	r, w := io.Pipe()
	s := stdoutsink.New(w)
	ctx, cancel := context.WithCancel(t.Context())
	batch := sinktest.Batch(1, sinktest.Block(0, 0, record.Output{Value: []byte("one")}, record.Output{Value: []byte("two")}))
	failed := make(chan error)
	go func() { failed <- s.Write(ctx, batch) }()
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Fatalf("Write = %v, want context.Canceled", err)
	}
	go func() {
		failed <- s.Write(t.Context(), batch)
		_ = w.Close()
	}()
	go func() { <-failed }()
	got, err := io.ReadAll(r)
	if err != nil || string(got) != "one\ntwo\n" {
		t.Errorf("read %q, %v; want each line once", got, err)
	}
}

func TestAValueWithANewlineStaysAsItIs(t *testing.T) {
	var out bytes.Buffer
	batch := sinktest.Batch(1, sinktest.Block(0, 0, record.Output{Value: []byte("a\nb")}, record.Output{Value: []byte{}}))
	if err := stdoutsink.New(&out).Write(t.Context(), batch); err != nil || out.String() != "a\nb\n\n" {
		t.Errorf("wrote %q, %v", out.String(), err)
	}
}
