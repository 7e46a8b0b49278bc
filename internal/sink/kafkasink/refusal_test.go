package kafkasink_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"streamer/internal/record"
	"streamer/internal/setting"
	"streamer/internal/sink"
	"streamer/internal/sink/kafkasink"
	"streamer/internal/sink/sinktest"
)

// poison is what the broker refuses a record batch for; only readable without compression.
const poison = "poison"

// refusePoison makes the broker refuse every record batch that has a poisoned record in it.
func (b *broker) refusePoison(partitions int32, err *kerr.Error) {
	for p := range partitions {
		b.Fault(kfake.Fault{
			Keys: []kmsg.Key{kmsg.Produce}, Partitions: []int32{p}, Err: err, Count: -1,
			When: func(request kmsg.Request) bool {
				produce, ok := request.(*kmsg.ProduceRequest)
				return ok && slices.ContainsFunc(produce.Topics, func(topic kmsg.ProduceRequestTopic) bool {
					return slices.ContainsFunc(topic.Partitions, func(part kmsg.ProduceRequestTopicPartition) bool {
						return part.Partition == p && bytes.Contains(part.Records, []byte(poison))
					})
				})
			},
		})
	}
}

func uncompressed() kafkasink.Config {
	cfg := config()
	cfg.Compression = "none"
	return cfg
}

// poisoned makes the values of some of the block's records ones that the broker refuses.
func poisoned(block *record.Block, indices ...int) *record.Block {
	for _, i := range indices {
		value := fmt.Sprintf(`{"partition":%d,"offset":%d,"is":%q}`, block.Owner.Partition, block.Out[i].Offset, poison)
		block.Out[i].Value = []byte(value)
	}
	return block
}

// answer puts the refused records aside, as the policy dead_letter does.
func answer(rejected *sink.RejectedError) {
	for _, r := range rejected.Records {
		r.Block.Refuse(r.Index)
	}
}

// settle writes the batch and answers until all that is left has arrived. It returns the refused offsets of each partition.
func settle(t *testing.T, s sink.Sink, batch *record.Batch, answer func(*sink.RejectedError)) map[int32][]int64 {
	t.Helper()
	refused := map[int32][]int64{}
	for {
		err := s.Write(t.Context(), batch)
		if err == nil {
			return refused
		}
		rejected, ok := errors.AsType[*sink.RejectedError](err)
		if !ok {
			t.Fatalf("Write = %v (%s)", err, sink.Classify(err))
		}
		for _, r := range rejected.Records {
			refused[r.Origin().Owner.Partition] = append(refused[r.Origin().Owner.Partition], r.Offset)
		}
		answer(rejected)
	}
}

// arrivals lists the offsets that have arrived of each input partition, output partition by output partition.
func (b *broker) arrivals(t *testing.T) map[int32][]int64 {
	t.Helper()
	offsets := map[int32][]int64{}
	for _, r := range b.records(t) {
		var from struct {
			Partition int32 `json:"partition"`
			Offset    int64 `json:"offset"`
		}
		if err := json.Unmarshal(r.Value, &from); err != nil {
			t.Fatal(err)
		}
		offsets[from.Partition] = append(offsets[from.Partition], from.Offset)
	}
	return offsets
}

// without lists the offsets below n that are not in some.
func without(n int64, some ...int64) []int64 {
	var all []int64
	for offset := range n {
		if !slices.Contains(some, offset) {
			all = append(all, offset)
		}
	}
	return all
}

// A broker refuses a record batch and names no record. Exactly the one at fault is blamed; its neighbours arrive, once and
// in order, and those behind it not before it was dealt with.
func TestTheBrokersRefusalBlamesOneRecord(t *testing.T) {
	for _, code := range []*kerr.Error{kerr.InvalidRecord, kerr.InvalidTimestamp, kerr.MessageTooLarge} {
		t.Run(code.Message, func(t *testing.T) {
			b := newBroker(t, 3)
			b.refusePoison(3, code)
			s := b.sink(t, uncompressed())
			batch := sinktest.Batch(1, poisoned(sinktest.Numbered(0, 0, 100), 0, 57, 58), sinktest.Numbered(0, 100, 20),
				poisoned(sinktest.Numbered(1, 0, 100), 99), sinktest.Numbered(2, 0, 100))
			refused := settle(t, s, batch, func(rejected *sink.RejectedError) {
				arrived := b.arrivals(t)
				for _, r := range rejected.Records {
					if !errors.Is(r.Err, code) || r.TooLarge != (code == kerr.MessageTooLarge) {
						t.Errorf("record %v is refused with %v (too large: %t)", r.Origin(), r.Err, r.TooLarge)
					}
					of := arrived[r.Origin().Owner.Partition]
					if len(of) > 0 && slices.Max(of) > r.Offset {
						t.Errorf("offset %d arrived before %v was dealt with", slices.Max(of), r.Origin())
					}
				}
				answer(rejected)
			})
			if want := map[int32][]int64{0: {0, 57, 58}, 1: {99}}; !maps.EqualFunc(refused, want, slices.Equal) {
				t.Errorf("refused: %v, want %v", refused, want)
			}
			want := map[int32][]int64{0: without(120, 0, 57, 58), 1: without(99), 2: without(100)}
			if got := b.arrivals(t); !maps.EqualFunc(got, want, slices.Equal) {
				t.Errorf("arrived: %v, want all others once and in order", got)
			}
		})
	}
}

// The search for the record at fault halves and doubles: it must not send each record behind a refused one by itself.
func TestTheRecordAtFaultIsFoundSoon(t *testing.T) {
	b := newBroker(t, 1)
	sent := b.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Observe: true, Partitions: []int32{0}, Count: -1})
	b.refusePoison(1, kerr.InvalidRecord)
	s := b.sink(t, uncompressed())
	block := poisoned(sinktest.Numbered(0, 0, 4096), 1000, 3000)
	settle(t, s, sinktest.Batch(1, block), answer)
	// About twice the logarithm of the count for each search, and once for the way back up.
	if requests := sent.Hits(); requests > 80 {
		t.Errorf("%d requests to find two records of 4096", requests)
	}
	if got := b.arrivals(t)[0]; !slices.Equal(got, without(4096, 1000, 3000)) {
		t.Errorf("%d records arrived, want the other 4094 once and in order", len(got))
	}
}

// The policy that stops: the block ends before the refused record, and what has arrived of it does not go again.
func TestABlockThatEndsAtARefusedRecordIsNotRepeated(t *testing.T) {
	b := newBroker(t, 2)
	b.refusePoison(2, kerr.InvalidRecord)
	s := b.sink(t, uncompressed())
	batch := sinktest.Batch(1, poisoned(sinktest.Numbered(0, 0, 50), 30, 40), sinktest.Numbered(1, 0, 50))
	settle(t, s, batch, func(rejected *sink.RejectedError) {
		rejected.Records[0].Block.End(rejected.Records[0].Offset)
	})
	if got, want := b.arrivals(t), map[int32][]int64{0: without(30), 1: without(50)}; !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("arrived: %v, want %v", got, want)
	}
}

// The topic takes smaller record batches than the sink makes: no record is at fault, and each arrives.
func TestRecordBatchesThatAreTooLargeAreSplit(t *testing.T) {
	b := newBroker(t, 0)
	admin := kadm.NewClient(b.client(t))
	defer admin.Close()
	small := "2000"
	if _, err := admin.CreateTopic(t.Context(), 1, 1, map[string]*string{"max.message.bytes": &small}, "out"); err != nil {
		t.Fatal(err)
	}
	s := b.sink(t, uncompressed())
	b.inputs["in"] = 1
	large := sinktest.Numbered(0, 200, 3)
	large.Out[1].Headers = append(large.Out[1].Headers, header("padding", 3000))
	refused := settle(t, s, sinktest.Batch(1, sinktest.Numbered(0, 0, 200), large), answer)
	if want := map[int32][]int64{0: {201}}; !maps.EqualFunc(refused, want, slices.Equal) {
		t.Errorf("refused: %v, want %v", refused, want)
	}
	if got := b.arrivals(t)[0]; !slices.Equal(got, without(203, 201)) {
		t.Errorf("arrived: %v, want all but 201 once and in order", got)
	}
}

// All records that are too large are found before anything is sent, whatever else the batch holds.
func TestAllTooLargeRecordsComeAtOnce(t *testing.T) {
	b := newBroker(t, 3)
	cfg := config()
	cfg.MaxMessageBytes = setting.Bytes(2000)
	s := b.sink(t, cfg)
	batch := sinktest.Batch(1, sinktest.Numbered(0, 0, 10), sinktest.Numbered(1, 0, 10))
	for _, out := range []*record.Output{&batch.Blocks[0].Out[1], &batch.Blocks[0].Out[9], &batch.Blocks[1].Out[4]} {
		out.Headers = append(out.Headers, header("padding", 2000))
	}
	err := s.Write(t.Context(), batch)
	rejected, ok := errors.AsType[*sink.RejectedError](err)
	if !ok || len(rejected.Records) != 3 || len(b.records(t)) != 0 {
		t.Fatalf("Write = %v, and %d records arrived; want three refused and none arrived", err, len(b.records(t)))
	}
	answer(rejected)
	write(t, s, batch)
	want := map[int32][]int64{0: without(9, 1), 1: without(10, 4)}
	if got := b.arrivals(t); !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("arrived: %v, want %v", got, want)
	}
}

// Whichever records the broker refuses, in whichever blocks, with brokers that fail besides in every second run: exactly those
// are blamed, and all others arrive, once. They arrive in order where nothing but refusals fails: of two record batches on their
// way the client lets the second pass when the first fails, as docs/sinks.md says.
func TestExactlyTheRefusedRecordsAreBlamed(t *testing.T) {
	for seed := range uint64(15) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 2))
			b := newBroker(t, 2)
			b.inputs = map[string]int{"in": 3}
			b.refusePoison(2, kerr.InvalidRecord)
			s := b.sink(t, uncompressed())
			next, bad, refused := [3]int64{}, map[int32][]int64{}, map[int32][]int64{}
			for id := range uint64(4) {
				var blocks []*record.Block
				for range 5 {
					p := random.IntN(3)
					block := sinktest.Numbered(int32(p), next[p], 1+random.IntN(60))
					next[p] += int64(len(block.Out))
					for i := range block.Out {
						if random.IntN(25) == 0 {
							poisoned(block, i)
							bad[int32(p)] = append(bad[int32(p)], block.Out[i].Offset)
						}
					}
					blocks = append(blocks, block)
				}
				if seed%2 == 1 {
					b.Fault(kfake.Fault{
						Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.TopicAuthorizationFailed, Count: 1 + random.IntN(2),
					})
				}
				deliverRefusing(t, s, sinktest.Batch(id, blocks...), refused)
			}
			if seed%2 == 0 {
				checkOrder(t, b, [3]int64{
					next[0] - int64(len(bad[0])), next[1] - int64(len(bad[1])), next[2] - int64(len(bad[2])),
				})
			}
			for p, offsets := range b.arrivals(t) {
				slices.Sort(offsets)
				slices.Sort(refused[p])
				if want := without(next[p], bad[p]...); !slices.Equal(offsets, want) || !slices.Equal(refused[p], bad[p]) {
					t.Errorf("partition %d: arrived %v, refused %v; want %v and %v", p, offsets, refused[p], want, bad[p])
				}
			}
		})
	}
}

// deliverRefusing retries and answers until the rest of the batch has arrived.
func deliverRefusing(t *testing.T, s sink.Sink, batch *record.Batch, refused map[int32][]int64) {
	t.Helper()
	for {
		err := s.Write(t.Context(), batch)
		switch sink.Classify(err) {
		case sink.Rejected:
			rejected, _ := errors.AsType[*sink.RejectedError](err)
			for _, r := range rejected.Records {
				refused[r.Origin().Owner.Partition] = append(refused[r.Origin().Owner.Partition], r.Offset)
			}
			answer(rejected)
		case sink.Retryable:
		default:
			if err != nil {
				t.Fatalf("Write = %v (%s)", err, sink.Classify(err))
			}
			return
		}
	}
}
