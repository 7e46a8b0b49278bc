package partitionstream

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"streamer/internal/kafka"
)

// inHostileWorld has a topic with 15 records in three batches in partition 0, and nothing in partition 1: a partition that
// does not get on beside one that is idle is what kgo does not pace. Answers to fetches pass the world's tamper.
func inHostileWorld(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	inWorld(t, 2, func(t *testing.T, w *world) {
		t.Helper()
		for i := range 3 {
			w.produce(0, 5*i, 5)
		}
		w.tamper = &tamper{network: w.network.DialContext}
		test(t, w)
	})
}

// joinWatched is a member that knows the log's ends, and whose looks at broken batches pass the tamper too.
func (w *world) joinWatched() *member {
	w.t.Helper()
	s := usual()
	looker := w.newClient("looks", kafka.UnpackLimit(8*s.levels.High/3))
	w.t.Cleanup(looker.Close)
	lookups := kafka.NewAdmin(looker)
	s.source = &fakeSource{examine: func(ctx context.Context, topic string, partition int32, position int64) error {
		return lookups.Examine(ctx, kafka.DefaultSourceConfig(), kafka.TopicPartition{Topic: topic, Partition: partition}, position)
	}}
	s.source.committed = w.commits
	m := w.join(s)
	w.until("it joins", m.Joined)
	m.Ends(map[string]map[int32]int64{topic: {0: 15, 1: 0}})
	return m
}

// mostAnswers bounds the fetches of a minute: four a second, as of an idle partition, and some.
const mostAnswers = 400

// endsAt lets the member work until it fails, which must be at the batch [from, next) with a reason that has the words.
func (m *member) endsAt(from, next int64, words string) {
	m.w.t.Helper()
	var err error
	before := m.w.tamper.count()
	m.flow("it fails", func() bool {
		select {
		case err = <-m.failed:
			return true
		default:
			return false
		}
	})
	broken, ok := errors.AsType[*kafka.UndecodableError](err)
	if !ok || broken.At != (kafka.TopicPartition{Topic: topic}) || broken.Offset != from || broken.Next != next ||
		!strings.Contains(err.Error(), words) {
		m.w.t.Fatalf("failed with %v, want the batch [%d, %d) of %s/0: %s", err, from, next, topic, words)
	}
	m.flow("time passes", m.w.after(time.Minute))
	if n := m.w.tamper.count() - before; n > mostAnswers {
		m.w.t.Fatalf("%d fetches: it spins", n)
	}
	if c := m.w.commit(0).Offset; c != from {
		m.w.t.Fatalf("committed %d, want all before the batch and nothing past it, %d", c, from)
	}
}

// after is a condition that holds when so much virtual time is over.
func (w *world) after(d time.Duration) func() bool {
	end := time.Now().Add(d)
	return func() bool { return !time.Now().Before(end) }
}

// deliversAll lets a member work until everything is committed, and stops it. It must have each record from an offset on.
func (m *member) deliversAll(from int) {
	m.w.t.Helper()
	m.flow("all is committed", func() bool { return m.w.commit(0).Offset == 15 })
	m.down.mu.Lock()
	got := m.down.values[0]
	m.down.mu.Unlock()
	for i := range 15 - from {
		if i >= len(got) || got[i] != strconv.Itoa(from+i) {
			m.w.t.Fatalf("delivered %v, want %d to 14", got, from)
		}
	}
	m.mustNotFail()
	m.stop()
	m.idleAtZero()
}

// A batch that cannot be read stops the run before it, whatever is wrong with it, with a reason that says where and what.
// When the batch is in order again the next run goes on there.
func TestRegression10UndecodableBatchDoesNotSpin(t *testing.T) {
	flip := func(at int) func([]byte) []byte { return plain(func(b []byte) { b[at] ^= 0x40 }) }
	number := func(at int, value int32) func([]byte) {
		return func(b []byte) { binary.BigEndian.PutUint32(b[at:], uint32(value)) }
	}
	bytesAt := func(at int, value ...byte) func([]byte) []byte { return summed(func(b []byte) { copy(b[at:], value) }) }
	for name, test := range map[string]struct {
		rewrite func(*kmsg.FetchResponseTopicPartition)
		words   string
		from    int64
		next    int64
	}{
		"wrong checksum":          {spoilBatch(flip(batchCRC)), "does not match calculated crc", 5, 10},
		"changed record":          {spoilBatch(flip(batchRecords + 8)), "does not match calculated crc", 5, 10},
		"negative length":         {spoilBatch(plain(number(batchLength, -1))), "its header gives it 11 bytes", 5, 6},
		"length that overflows":   {spoilBatch(plain(number(batchLength, 1<<31-1))), "it is cut off after", 5, 6},
		"unknown magic":           {spoilBatch(plain(func(b []byte) { b[batchMagic] = 9 })), "unknown magic 9", 5, 6},
		"negative count":          {spoilBatch(summed(number(batchCount, -1))), "negative record count", 5, 10},
		"records without bytes":   {spoilBatch(emptied), "5 claimed records with no record bytes", 5, 10},
		"negative record length":  {spoilBatch(bytesAt(batchRecords, 0x01)), "0 of its 5 records can be read", 5, 10},
		"too many headers":        {spoilBatch(summed(func(b []byte) { b[len(b)-1] = 0x7e })), "4 of its 5 records can be read", 9, 10},
		"compressed, and not":     {spoilBatch(bytesAt(batchFlags, 0, 1)), "unable to decompress", 5, 10},
		"unknown compression":     {spoilBatch(bytesAt(batchFlags, 0, 7)), "unable to decompress", 5, 10},
		"cut off at the front":    {cutOff(true), "it is cut off after", 5, 6},
		"shorter than it says":    {spoilBatch(func(b []byte) []byte { return b[:len(b)-3] }), "does not match calculated crc", 5, 10},
		"offsets below the asked": {onlyFirst(), "batches that end before it", 5, 6},
		"the broker's own verdict": {func(p *kmsg.FetchResponseTopicPartition) {
			p.ErrorCode, p.RecordBatches = kerr.CorruptMessage.Code, nil
		}, "CORRUPT_MESSAGE", 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			inHostileWorld(t, func(_ *testing.T, w *world) {
				w.tamper.set(test.rewrite)
				m := w.joinWatched()
				m.endsAt(test.from, test.next, test.words)
				m.stop()
				w.tamper.set(nil)
				w.joinWatched().deliversAll(int(test.from))
			})
		})
	}
}

// emptied has lost its records and kept their number.
func emptied(batch []byte) []byte {
	batch = batch[:batchRecords]
	binary.BigEndian.PutUint32(batch[batchLength:], batchRecords-12)
	return summed(func([]byte) {})(batch)
}

// cutOff ends the answer within the second batch of the log: always, or only behind another batch, as brokers do.
func cutOff(always bool) func(*kmsg.FetchResponseTopicPartition) {
	return func(p *kmsg.FetchResponseTopicPartition) {
		var answer []byte
		for i, batch := range split(p.RecordBatches) {
			if binary.BigEndian.Uint64(batch) == second && (always || i > 0) {
				p.RecordBatches = slices.Concat(answer, batch[:len(batch)-7])
				return
			}
			answer = append(answer, batch...)
		}
	}
}

// onlyFirst answers with the first batch of the log, whatever is asked for.
func onlyFirst() func(*kmsg.FetchResponseTopicPartition) {
	var first []byte
	return func(p *kmsg.FetchResponseTopicPartition) {
		if first == nil {
			first = split(p.RecordBatches)[0]
		}
		p.RecordBatches = first
	}
}

// A broker may cut off the last batch of an answer: that is no fault of the batch.
func TestABatchThatIsCutOffAtTheEndIsAskedForAgain(t *testing.T) {
	inHostileWorld(t, func(_ *testing.T, w *world) {
		w.tamper.set(cutOff(false))
		w.joinWatched().deliversAll(0)
	})
}

// A byte that was changed on the way is not one that was changed in the log. The client has gone past some of these batches
// by then, and has given others up.
func TestABatchThatIsBrokenOnceIsReadAgain(t *testing.T) {
	for name, spoil := range map[string]func([]byte){
		"wrong checksum":         func(b []byte) { b[batchCRC] ^= 1 },
		"unknown magic":          func(b []byte) { b[batchMagic] = 9 },
		"negative record length": func(b []byte) { summed(func(b []byte) { b[batchRecords] = 1 })(b) },
		"half of the records":    func(b []byte) { summed(func(b []byte) { b[batchRecords+24] = 1 })(b) },
	} {
		t.Run(name, func(t *testing.T) {
			inHostileWorld(t, func(t *testing.T, w *world) {
				left := 1
				w.tamper.set(spoilBatch(plain(func(b []byte) {
					if left--; left == 0 {
						spoil(b)
					}
				})))
				w.joinWatched().deliversAll(0)
				if left > 0 {
					t.Fatal("nothing was broken")
				}
			})
		})
	}
}

// What the client cannot read and a look apart can is not tried for ever.
func TestABatchThatOnlyTheClientCannotReadEndsTheRun(t *testing.T) {
	inHostileWorld(t, func(t *testing.T, w *world) {
		w.tamper.set(spoilBatch(plain(func(b []byte) { b[batchCRC] ^= 1 })))
		s := usual()
		m := w.join(s) // its source finds nothing wrong
		var err error
		m.flow("it fails", func() bool {
			select {
			case err = <-m.failed:
				return true
			default:
				return false
			}
		})
		if !strings.Contains(err.Error(), "position 5 of events/0 cannot be read") || w.commit(0).Offset != 5 {
			t.Fatalf("%v, committed %d", err, w.commit(0).Offset)
		}
		m.stop()
	})
}

// A decompression bomb is refused before it is unpacked, by the client and by the look apart.
func TestRegression10DecompressionBombStopsBeforeItself(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		w.produce(0, 0, 5)
		// Not zstd: its decoder has channels, and they may not leave a bubble of virtual time.
		bomber := w.newClient("bomber", kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchMaxBytes(64<<20),
			kgo.ProducerBatchCompression(kgo.GzipCompression()))
		defer bomber.Close()
		bomb := &kgo.Record{Topic: topic, Value: make([]byte, 20<<20)} // one batch may unpack to 16 MiB
		if err := bomber.ProduceSync(t.Context(), bomb).FirstErr(); err != nil {
			t.Fatal(err)
		}
		w.produce(0, 6, 5)
		w.tamper = &tamper{network: w.network.DialContext}
		m := w.joinWatched()
		m.endsAt(5, 6, "unpacks to more than the memory budget allows")
		m.stop()
	})
}

// What is behind the end of a bounded run is nothing to it.
func TestABrokenBatchBehindTheEndIsNoneOfTheRun(t *testing.T) {
	inHostileWorld(t, func(_ *testing.T, w *world) {
		w.tamper.set(spoilBatch(plain(func(b []byte) { b[batchCRC] ^= 1 })))
		s := usual()
		s.end = endAt(second)
		s.source = &fakeSource{examine: func(context.Context, string, int32, int64) error { return &kafka.UndecodableError{} }}
		m := w.join(s)
		m.flow("the end is committed", func() bool { return w.commit(0).Offset == second })
		w.pass(time.Minute)
		m.mustNotFail()
		if l, _ := m.look(0); l.State != Finished {
			t.Fatalf("state %s, want finished", l.State)
		}
		m.stop()
	})
}

// Between two assignments of a partition the client may still read it. What it cannot read then is read again by the next.
func TestABrokenBatchOfNobodyIsNoFailure(t *testing.T) {
	inHostileWorld(t, func(_ *testing.T, w *world) {
		m := w.joinWatched()
		const nobodys = 7
		m.mail.post(func() {
			m.receive(kgo.Fetches{{Topics: []kgo.FetchTopic{{
				Topic: topic, Partitions: []kgo.FetchPartition{{Partition: nobodys, Err: errors.New("unknown magic 9")}},
			}}}})
		})
		m.deliversAll(0)
	})
}

// The log is cut while a batch is looked at: what is at the position then is of another log, and on_out_of_range decides.
func TestALogThatIsCutDuringALookIsAReset(t *testing.T) {
	inHostileWorld(t, func(t *testing.T, w *world) {
		w.tamper.set(spoilBatch(plain(func(b []byte) { b[batchCRC] ^= 1 })))
		look, looking := make(chan struct{}), make(chan struct{}, 1)
		s := usual()
		s.source = &fakeSource{
			examine: func(context.Context, string, int32, int64) error {
				looking <- struct{}{}
				<-look
				return nil
			},
			reset: func(int64) (int64, error) { return 0, nil },
		}
		m := w.join(s)
		m.flow("it looks", func() bool { return len(looking) > 0 })
		m.mail.post(func() { m.pollError(partition{topic, 0}, &kgo.ErrDataLoss{Topic: topic}) })
		w.tamper.set(nil)
		close(look)
		m.flow("all is committed", func() bool { return w.commit(0).Offset == 15 })
		if n := len(m.down.values[0]); n != 5+15 {
			t.Fatalf("%d records, want the first five and then all", n)
		}
		m.mustNotFail()
		m.stop()
	})
}

// An error code that nobody knows is told as it is, and nothing is passed over.
func TestAnUnknownErrorCodeEndsTheRun(t *testing.T) {
	inHostileWorld(t, func(t *testing.T, w *world) {
		w.tamper.set(func(p *kmsg.FetchResponseTopicPartition) { p.ErrorCode, p.RecordBatches = 9999, nil })
		m := w.joinWatched()
		var err error
		w.until("it fails", func() bool {
			select {
			case err = <-m.failed:
				return true
			default:
				return false
			}
		})
		if failure, ok := errors.AsType[*kafka.PollError](err); !ok || failure.Class != kafka.PollFatal ||
			!strings.Contains(err.Error(), "poll events/0: UNKNOWN_SERVER_ERROR") {
			t.Fatal(err)
		}
		m.stop()
		w.tamper.set(nil)
		w.joinWatched().deliversAll(0)
	})
}

// Answers that are no answers are asked for again, not at once, and everything comes when they are in order.
func TestBrokenAnswersAreAskedForAgainWithABackoff(t *testing.T) {
	for name, spoil := range map[string]func([]byte) []byte{
		"cut off":                   func(b []byte) []byte { return b[:len(b)/2] },
		"nothing":                   func([]byte) []byte { return nil },
		"more topics than bytes":    func(b []byte) []byte { return overwritten(b, 10, 0xff, 0xff, 0xff, 0xff, 0x0f) },
		"more partitions than that": func(b []byte) []byte { return overwritten(b, 27, 0xff, 0xff, 0xff, 0xff, 0x0f) },
		"noise":                     func(b []byte) []byte { return []byte(strings.Repeat("\xa5", len(b))) },
	} {
		t.Run(name, func(t *testing.T) {
			inHostileWorld(t, func(t *testing.T, w *world) {
				w.tamper.setSpoil(spoil)
				m := w.joinWatched()
				w.pass(time.Minute)
				if n := w.tamper.count(); n > mostAnswers {
					t.Fatalf("%d fetches in a minute: it spins", n)
				}
				m.mustNotFail()
				w.tamper.set(nil)
				m.deliversAll(0)
			})
		})
	}
}

// overwritten has other bytes at a place, if it is as long.
func overwritten(answer []byte, at int, with ...byte) []byte {
	if len(answer) < at+len(with) {
		return answer
	}
	answer = append([]byte(nil), answer...)
	copy(answer[at:], with)
	return answer
}
