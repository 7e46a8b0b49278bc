package kafkasink_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"streamer/internal/sink"
	"streamer/internal/sink/sinktest"
)

// kgo keeps a refused producer id for ever; only a new client gets on.
func TestARefusedProducerIDIsNotForEver(t *testing.T) {
	b := newBroker(t, 1)
	s := b.sink(t, config())
	heal := b.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.InitProducerID}, Err: kerr.ClusterAuthorizationFailed, Count: -1, TopLevel: true,
	}).Remove
	batch := sinktest.Batch(1, sinktest.Numbered(0, 0, 10))
	for range 2 {
		if err := s.Write(t.Context(), batch); sink.Classify(err) != sink.Retryable {
			t.Fatalf("Write = %v, want a retryable error", err)
		}
	}
	heal()
	write(t, s, batch)
	if got := b.records(t); len(got) != 10 {
		t.Errorf("%d records arrived, want 10", len(got))
	}
}

// Only what was not acknowledged goes again: no partition's records twice because another partition failed.
func TestARetryLeavesOutWhatHasArrived(t *testing.T) {
	b := newBroker(t, 2)
	s := b.sink(t, config())
	heal := b.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Produce}, Partitions: []int32{1}, Err: kerr.TopicAuthorizationFailed, Count: -1,
	}).Remove
	batch := sinktest.Batch(1, sinktest.Numbered(0, 0, 10), sinktest.Numbered(1, 0, 10))
	for range 3 {
		if err := s.Write(t.Context(), batch); sink.Classify(err) != sink.Retryable {
			t.Fatalf("Write = %v, want a retryable error", err)
		}
	}
	heal()
	write(t, s, batch)
	if got := b.records(t); len(got) != 20 {
		t.Errorf("%d records arrived, want each of the 20 once", len(got))
	}
}

// The same within one block, whose records go to two partitions by their keys.
func TestARetryLeavesOutWhatHasArrivedOfABlock(t *testing.T) {
	b := newBroker(t, 2)
	b.inputs = map[string]int{"in": 1}
	s := b.sink(t, config())
	arrived := b.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Partitions: []int32{0}, Observe: true, Count: -1})
	refused := b.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Produce}, Partitions: []int32{1}, Err: kerr.TopicAuthorizationFailed, Count: -1,
	})
	batch := sinktest.Batch(1, sinktest.Numbered(0, 0, 100))
	for range 3 {
		if err := s.Write(t.Context(), batch); sink.Classify(err) != sink.Retryable {
			t.Fatalf("Write = %v, want a retryable error", err)
		}
	}
	if arrived.Hits() == 0 {
		t.Fatal("nothing went to partition 0; the test tests nothing")
	}
	refused.Remove()
	write(t, s, batch)
	if got := b.records(t); len(got) != 100 {
		t.Errorf("%d records arrived, want each of the 100 once", len(got))
	}
}

// What an abandoned Write left in the client stands before the next batch's records, and fails with them.
func TestAnAbandonedBlockDoesNotTakeTheNextWithIt(t *testing.T) {
	b := newBroker(t, 1)
	b.inputs = map[string]int{"in": 2}
	s := b.sink(t, config())
	stuck := b.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotLeaderForPartition, Count: -1})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Write(ctx, sinktest.Batch(1, sinktest.Numbered(0, 0, 10))) }()
	if err := stuck.Wait(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatalf("Write = %v, want context.Canceled", err)
	}
	stuck.Remove()
	write(t, s, sinktest.Batch(2, sinktest.Numbered(1, 0, 10)))
	var next int
	for _, r := range b.records(t) {
		if strings.Contains(string(r.Value), `"partition":1`) {
			next++
		}
	}
	if next != 10 {
		t.Errorf("%d records of the next batch arrived, want 10", next)
	}
}

// The brokers refuse with errors that kgo retries without a word, and are sure of nothing.
func TestAbandonedWritesAreTakenUpAgain(t *testing.T) {
	b := newBroker(t, 2)
	s := b.sink(t, config())
	stuck := b.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Produce}, Partitions: []int32{0}, Err: kerr.RequestTimedOut, Count: -1, // sure of nothing
	})
	ctx, cancel := context.WithCancel(t.Context())
	leaves, stays := sinktest.Numbered(0, 0, 10), sinktest.Numbered(1, 0, 10)
	done := make(chan error, 1)
	go func() { done <- s.Write(ctx, sinktest.Batch(1, leaves, stays)) }()
	if err := stuck.Wait(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatalf("Write = %v, want context.Canceled", err)
	}
	// The stuck partition has left the batch; what stays must not wait for it.
	write(t, s, sinktest.Batch(1, stays))
	stuck.Remove()
	write(t, s, sinktest.Batch(2, leaves))
	var seen [2]int
	for _, r := range b.records(t) {
		seen[r.Partition]++
	}
	if seen[1] != 10 || seen[0] < 10 {
		t.Errorf("%v records arrived, want at least 10 and exactly 10", seen)
	}
}
