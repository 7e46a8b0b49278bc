package kafkasink_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"streamer/internal/record"
	"streamer/internal/sink"
	"streamer/internal/sink/sinktest"
)

// Whatever the brokers answer and wherever a Write is abandoned, nothing is lost and the first arrivals of a partition
// are in order. Records go by key to fewer partitions, so that one block's records fail and arrive in parts.
func TestNothingIsLostOrOvertakenThroughFaults(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			b := newBroker(t, 2)
			b.inputs = map[string]int{"in": 3}
			s := b.sink(t, config())
			var next [3]int64
			for id := range uint64(6) {
				var blocks []*record.Block
				for range 6 {
					partition := random.IntN(3)
					n := 1 + random.IntN(30)
					blocks = append(blocks, sinktest.Numbered(int32(partition), next[partition], n))
					next[partition] += int64(n)
				}
				deliver(t, b, s, random, sinktest.Batch(id, blocks...))
			}
			checkOrder(t, b, next)
		})
	}
}

// deliver makes some answers fail, abandons some Writes, and goes on until the batch is acknowledged.
func deliver(t *testing.T, b *broker, s sink.Sink, random *rand.Rand, batch *record.Batch) {
	t.Helper()
	faults := []*kerr.Error{
		kerr.TopicAuthorizationFailed, kerr.NotLeaderForPartition, kerr.RequestTimedOut, kerr.ClusterAuthorizationFailed,
		kerr.NotEnoughReplicas, kerr.UnknownServerError,
	}
	for {
		fault := b.Fault(kfake.Fault{
			Keys: []kmsg.Key{kmsg.Produce}, Partitions: []int32{int32(random.IntN(2))},
			Err: faults[random.IntN(len(faults))], Count: 1 + random.IntN(2),
		})
		ctx, cancel := context.WithCancel(t.Context())
		if random.IntN(3) == 0 {
			go func() { // ends with the fault or the context
				_ = fault.Wait(ctx, 1)
				cancel()
			}()
		}
		err := s.Write(ctx, batch)
		ended := ctx.Err() != nil
		cancel()
		fault.Remove()
		switch {
		case err == nil:
			return
		case sink.Classify(err) == sink.Retryable, ended:
		default:
			t.Fatalf("Write = %v (%s)", err, sink.Classify(err))
		}
	}
}

func checkOrder(t *testing.T, b *broker, want [3]int64) {
	t.Helper()
	type place struct {
		input  int32
		output int32
	}
	last, seen := map[place]int64{}, map[[2]int64]bool{}
	for _, r := range b.records(t) {
		var from struct {
			Partition int32 `json:"partition"`
			Offset    int64 `json:"offset"`
		}
		if err := json.Unmarshal(r.Value, &from); err != nil {
			t.Fatal(err)
		}
		id := [2]int64{int64(from.Partition), from.Offset}
		at := place{from.Partition, r.Partition}
		if before, some := last[at]; !seen[id] && some && from.Offset < before {
			t.Errorf("input partition %d: offset %d arrived after %d", from.Partition, from.Offset, before)
		}
		last[at] = max(last[at], from.Offset)
		seen[id] = true
	}
	var total int64
	for _, n := range want {
		total += n
	}
	if int64(len(seen)) != total {
		t.Errorf("%d of %d records arrived", len(seen), total)
	}
}

// A large batch takes a while to hand over; what is refused meanwhile must not be overtaken by the rest.
func TestARefusedBeginningIsNotOvertaken(t *testing.T) {
	b := newBroker(t, 1)
	b.inputs = map[string]int{"in": 1}
	s := b.sink(t, config())
	const size = 20_000
	for id := range int64(5) {
		b.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.UnknownServerError, Count: 1})
		batch := sinktest.Batch(uint64(id), sinktest.Numbered(0, id*size, size))
		if err := s.Write(t.Context(), batch); sink.Classify(err) != sink.Retryable {
			t.Fatalf("Write = %v, want a retryable error", err)
		}
		write(t, s, batch)
	}
	checkOrder(t, b, [3]int64{5 * size})
}
