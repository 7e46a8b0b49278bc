package kafka_test

import (
	"context"
	"hash/crc32"
	"testing"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"

	"streamer/internal/kafka"
)

// batch covers [base, base+cover) and holds the records that compaction has left.
type batch struct {
	base, cover int64
	records     []int64
}

func (b batch) last() int64 { return b.base + b.cover - 1 }

func (b batch) encode() []byte {
	var records []byte
	for _, offset := range b.records {
		body := append([]byte{0}, kbin.AppendVarlong(nil, 0)...) // attributes, timestamp
		body = kbin.AppendVarint(body, int32(offset-b.base))     //
		body = append(kbin.AppendVarint(body, -1), 2, 'v')       // no key, a value of one byte
		body = kbin.AppendVarint(body, 0)                        // no headers
		records = append(kbin.AppendVarint(records, int32(len(body))), body...)
	}
	encoded := kmsg.RecordBatch{
		FirstOffset: b.base, Magic: 2, LastOffsetDelta: int32(b.cover - 1), ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1,
		NumRecords: int32(len(b.records)), Records: records,
	}
	raw := encoded.AppendTo(nil)
	encoded.Length = int32(len(raw) - 12)
	encoded.CRC = int32(crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))
	return encoded.AppendTo(nil)
}

// log answers fetches in place of a broker, a few batches at a time.
type log struct {
	batches []batch
	end     int64
	atOnce  int
}

func (l *log) fetch(request kmsg.Request) (kmsg.Response, error, bool) {
	asked := request.(*kmsg.FetchRequest)
	response := asked.ResponseKind().(*kmsg.FetchResponse)
	topic := kmsg.NewFetchResponseTopic()
	topic.Topic, topic.TopicID = asked.Topics[0].Topic, asked.Topics[0].TopicID
	partition := kmsg.NewFetchResponseTopicPartition()
	partition.HighWatermark, partition.LastStableOffset = l.end, l.end
	left := l.atOnce
	for _, batch := range l.batches {
		if batch.last() >= asked.Topics[0].Partitions[0].FetchOffset && left > 0 {
			partition.RecordBatches = append(partition.RecordBatches, batch.encode()...)
			left--
		}
	}
	topic.Partitions = append(topic.Partitions, partition)
	response.Topics = append(response.Topics, topic)
	return response, nil, true
}

// naive is the answer by definition: a record in [position, end) will come, or none.
func (l *log) naive(position, end int64) int64 {
	for _, batch := range l.batches {
		for _, record := range batch.records {
			if record >= position && record < end {
				return position
			}
		}
	}
	return end
}

func (l *log) serve(cluster *kfake.Cluster) {
	cluster.ControlKey(int16(kmsg.Fetch), func(request kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		return l.fetch(request)
	})
}

func TestProbeTail(t *testing.T) {
	t.Parallel()
	at := kafka.TopicPartition{Topic: "events"}
	for name, test := range map[string]struct {
		log                 log
		position, end, want int64
	}{
		"records to come":             {log{[]batch{{0, 10, []int64{0, 9}}}, 10, 9}, 5, 10, 5},
		"tail of a batch compacted":   {log{[]batch{{0, 10, []int64{0, 5}}}, 10, 9}, 6, 10, 10},
		"empty batch":                 {log{[]batch{{0, 5, []int64{4}}, {5, 5, nil}}, 10, 9}, 5, 10, 10},
		"empty, then records":         {log{[]batch{{0, 5, nil}, {5, 5, []int64{7}}}, 10, 1}, 0, 10, 0},
		"empty, then records too far": {log{[]batch{{0, 5, nil}, {5, 5, []int64{7}}}, 10, 1}, 0, 6, 6},
		"nothing at all":              {log{nil, 10, 9}, 4, 10, 10},
		"there already":               {log{nil, 10, 9}, 10, 10, 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, kfake.SeedTopics(1, "events"))
			test.log.serve(w.cluster)
			got, err := w.admin.ProbeTail(testContext(t), source("group", "events"), at, test.position, test.end)
			if err != nil || got != test.want {
				t.Errorf("next = %d, %v; want %d", got, err, test.want)
			}
		})
	}
}

func TestProbeTailOfALogThatWasCut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, kfake.SeedTopics(1, "events"))
	(&log{end: 6, atOnce: 1}).serve(w.cluster)
	at := kafka.TopicPartition{Topic: "events"}
	if got, err := w.admin.ProbeTail(testContext(t), source("group", "events"), at, 4, 10); err == nil || got != 4 {
		t.Errorf("next = %d, %v", got, err)
	}
}

func TestProbeTailAgainstTheDefinition(t *testing.T) {
	t.Parallel()
	w := newWorld(t, kfake.SeedTopics(1, "events"))
	current := &log{}
	w.cluster.ControlKey(int16(kmsg.Fetch), func(request kmsg.Request) (kmsg.Response, error, bool) {
		w.cluster.KeepControl()
		return current.fetch(request)
	})
	rapid.Check(t, func(rt *rapid.T) {
		*current = drawLog(rt)
		position := rapid.Int64Range(0, current.end).Draw(rt, "position")
		end := rapid.Int64Range(position, current.end).Draw(rt, "end")
		got, err := w.admin.ProbeTail(context.Background(), source("group", "events"), kafka.TopicPartition{Topic: "events"}, position, end)
		if want := current.naive(position, end); err != nil || got != want {
			rt.Fatalf("next = %d, %v; want %d", got, err, want)
		}
	})
}

func drawLog(t *rapid.T) log {
	drawn := log{atOnce: rapid.IntRange(1, 3).Draw(t, "batches at once")}
	for range rapid.IntRange(0, 6).Draw(t, "batches") {
		next := batch{
			base:  drawn.end + rapid.Int64Range(0, 5).Draw(t, "hole"),
			cover: rapid.Int64Range(1, 6).Draw(t, "cover"),
		}
		for offset := next.base; offset <= next.last(); offset++ {
			if rapid.IntRange(0, 2).Draw(t, "kept") == 0 {
				next.records = append(next.records, offset)
			}
		}
		drawn.batches = append(drawn.batches, next)
		drawn.end = next.last() + 1
	}
	drawn.end += rapid.Int64Range(0, 3).Draw(t, "hole at the end")
	return drawn
}
