// Package sinktest is the suite that every kind of sink passes: what the contract of sink.Sink promises to the writer,
// checked against what has really arrived.
package sinktest

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"streamer/internal/sink"
)

// Harness is one fresh sink and what the suite must know to check it.
type Harness struct {
	Sink sink.Sink
	// Delivered reads what has arrived so far, in the order of each input partition. Nil for a sink that keeps nothing.
	Delivered func(t *testing.T) []Delivered
	// Break makes every Write fail with a retryable error until heal is called. Nil if the kind cannot fail so.
	Break func() (heal func())
	// Refusable makes a value that the sink refuses for good. Nil if the kind takes all values.
	Refusable func() []byte
	// Topics are what outputs may be routed to, and Routed reads one of them as Delivered does. Nil for a kind that does
	// not route.
	Topics []string
	Routed func(t *testing.T, topic string) []Delivered
	// Keeps says which parts of a record arrive besides the value.
	Keeps Keeps
	// Tombstone is the value that a tombstone arrives with.
	Tombstone []byte
}

// Keeps lists the parts of a record that a kind of sink delivers.
type Keeps struct{ Key, Headers, Timestamp bool }

// Delivered is one record as it arrived.
type Delivered struct {
	Key, Value []byte
	Headers    []kgo.RecordHeader
	Timestamp  time.Time
}

// Run runs the suite. The factory makes a sink with an empty target for each test and registers the clean-up of all but
// the sink itself, which the suite closes.
func Run(t *testing.T, factory func(t *testing.T) Harness) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(t *testing.T, h Harness)
	}{
		{"delivers all in order", deliversInOrder},
		{"takes empty batches", takesEmpty},
		{"keeps tombstones", keepsTombstones},
		{"keeps keys, headers and timestamps", keepsParts},
		{"returns when the context has ended", returnsWhenEnded},
		{"loses nothing after a failure", losesNothing},
		{"takes a smaller batch after a failure", takesSmaller},
		{"takes another batch after a failure", takesAnother},
		{"returns when the context ends while it fails", returnsWhileFailing},
		{"passes over refused outputs", passesOver},
		{"delivers the neighbours of refused records", deliversNeighbours},
		{"delivers what comes before refused records", deliversBefore},
		{"delivers what is passed through", passesThrough},
		{"delivers the neighbours of refused records that are passed through", deliversNeighboursThrough},
		{"delivers what comes before refused records that are passed through", deliversBeforeThrough},
		{"routes", routes},
		{"changes nothing it is given", changesNothing},
		{"closes twice", closesTwice},
		{"answers while it writes", answersWhileWriting},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			// Registered first, so it runs last: after the factory's own clean-up.
			t.Cleanup(func() { goleak.VerifyNone(t, before) })
			h := factory(t)
			t.Cleanup(func() {
				if err := h.Sink.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			})
			test.run(t, h)
		})
	}
}

// limit bounds every Write of the suite, so that a sink that hangs fails its test and not the whole run. It is no
// measure of speed.
const limit = 30 * time.Second

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

// position is where a delivered value says that it comes from.
type position struct {
	Partition int32 `json:"partition"`
	Offset    int64 `json:"offset"`
}

func positions(t *testing.T, delivered []Delivered) []position {
	t.Helper()
	all := make([]position, len(delivered))
	for i, d := range delivered {
		if err := json.Unmarshal(d.Value, &all[i]); err != nil {
			t.Fatalf("delivered value %d, %q, is not what was written: %v", i, d.Value, err)
		}
	}
	return all
}

// expect checks that for each partition exactly the offsets [0,n) have arrived, in order. With repeats, a record may
// arrive again later; what counts is its first arrival.
func expect(t *testing.T, h Harness, repeats bool, want map[int32]int64) {
	t.Helper()
	if h.Delivered == nil {
		return
	}
	next := map[int32]int64{}
	for _, p := range positions(t, h.Delivered(t)) {
		switch {
		case p.Offset == next[p.Partition]:
			next[p.Partition]++
		case p.Offset > next[p.Partition]:
			t.Fatalf("partition %d: offset %d arrived before %d", p.Partition, p.Offset, next[p.Partition])
		case !repeats:
			t.Fatalf("partition %d: offset %d arrived twice", p.Partition, p.Offset)
		}
	}
	for partition, n := range want {
		if next[partition] != n {
			t.Errorf("partition %d: %d records arrived in order, want %d", partition, next[partition], n)
		}
	}
	for partition := range next {
		if _, wanted := want[partition]; !wanted {
			t.Errorf("partition %d: records arrived of a block that is in no batch", partition)
		}
	}
}

func wantRetryable(t *testing.T, err error) {
	t.Helper()
	if sink.Classify(err) != sink.Retryable {
		t.Fatalf("Write on a broken target = %v (%s), want a retryable error", err, sink.Classify(err))
	}
}

func wantEnded(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("Write with an ended context = %v, want one that wraps context.Canceled", err)
	}
}
