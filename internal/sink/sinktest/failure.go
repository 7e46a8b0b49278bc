package sinktest

import (
	"context"
	"testing"

	"streamer/internal/sink"
)

func returnsWhenEnded(t *testing.T, h Harness) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	block := Numbered(0, 0, 10)
	wantEnded(t, h.Sink.Write(ended, Batch(1, block)))
	if err := h.Sink.Write(testContext(t), Batch(1, block)); err != nil {
		t.Fatalf("Write after one whose context had ended: %v", err)
	}
	expect(t, h, true, map[int32]int64{0: 10})
}

// broken skips the test for kinds that cannot fail, and else makes the target fail.
func broken(t *testing.T, h Harness) (heal func()) {
	t.Helper()
	if h.Break == nil {
		t.Skip("this kind of sink has no retryable failure")
	}
	return h.Break()
}

func losesNothing(t *testing.T, h Harness) {
	ctx := testContext(t)
	if err := h.Sink.Write(ctx, Batch(1, Numbered(0, 0, 5), Numbered(1, 0, 5))); err != nil {
		t.Fatal(err)
	}
	heal := broken(t, h)
	batch := Batch(2, Numbered(0, 5, 20), Numbered(1, 5, 20))
	for range 3 {
		wantRetryable(t, h.Sink.Write(ctx, batch))
	}
	heal()
	if err := h.Sink.Write(ctx, batch); err != nil {
		t.Fatalf("Write on a mended target: %v", err)
	}
	expect(t, h, true, map[int32]int64{0: 25, 1: 25})
	if err := h.Sink.Write(ctx, Batch(3, Numbered(0, 25, 5))); err != nil {
		t.Fatal(err)
	}
	expect(t, h, true, map[int32]int64{0: 30, 1: 25})
}

// takesSmaller is the revoke at its deadline: a partition's blocks leave the batch, the rest must still arrive.
func takesSmaller(t *testing.T, h Harness) {
	heal := broken(t, h)
	ctx := testContext(t)
	leaves, stays := Numbered(0, 0, 20), Numbered(1, 0, 20)
	wantRetryable(t, h.Sink.Write(ctx, Batch(1, leaves, stays)))
	heal()
	if err := h.Sink.Write(ctx, Batch(1, stays)); err != nil {
		t.Fatalf("Write of the smaller batch: %v", err)
	}
	if err := h.Sink.Write(ctx, Batch(2, leaves)); err != nil { // given back: it must not be taken for delivered
		t.Fatal(err)
	}
	expect(t, h, true, map[int32]int64{0: 20, 1: 20})
}

func takesAnother(t *testing.T, h Harness) {
	heal := broken(t, h)
	ctx := testContext(t)
	wantRetryable(t, h.Sink.Write(ctx, Batch(1, Numbered(0, 0, 20))))
	heal()
	if err := h.Sink.Write(ctx, Batch(2, Numbered(1, 0, 20))); err != nil {
		t.Fatalf("Write of another batch: %v", err)
	}
	if err := h.Sink.Write(ctx, Batch(3, Numbered(0, 0, 20))); err != nil {
		t.Fatal(err)
	}
	expect(t, h, true, map[int32]int64{0: 20, 1: 20})
}

func returnsWhileFailing(t *testing.T, h Harness) {
	heal := broken(t, h)
	ctx, cancel := context.WithCancel(t.Context())
	block := Numbered(0, 0, 10)
	wantRetryable(t, h.Sink.Write(ctx, Batch(1, block)))
	cancel()
	wantEnded(t, h.Sink.Write(ctx, Batch(1, block)))
	heal()
	if err := h.Sink.Write(testContext(t), Batch(1, block)); err != nil {
		t.Fatal(err)
	}
	expect(t, h, true, map[int32]int64{0: 10})
}

func closesTwice(t *testing.T, h Harness) {
	if err := h.Sink.Write(testContext(t), Batch(1, Numbered(0, 0, 10))); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := h.Sink.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
	}
	expect(t, h, false, map[int32]int64{0: 10})
}

// answersWhileWriting means something only under the race detector.
func answersWhileWriting(t *testing.T, h Harness) {
	waiter, ok := h.Sink.(sink.Waiter)
	if !ok {
		t.Skip("this kind of sink does not wait by itself")
	}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() { // ended by stop
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				_ = waiter.Waiting()
			}
		}
	}()
	for b := range int64(5) {
		if err := h.Sink.Write(testContext(t), Batch(uint64(b), Numbered(0, b*10, 10))); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	<-done
	if err := waiter.Waiting(); err != nil {
		t.Errorf("Waiting after all was delivered = %v", err)
	}
}
