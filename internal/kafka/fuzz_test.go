package kafka

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"streamer/internal/setting"
)

// longestReason bounds what an error says of bytes from outside: it goes into the log, the status and dead letters.
const longestReason = 400

// FuzzReadDeadLetter holds that no headers make the reader panic, that what it takes is what the headers say, and that no
// error has their values in it.
func FuzzReadDeadLetter(f *testing.F) {
	f.Add("orders", "3", "42", "1790000000123", "decode", "steps[0].filter", "own", 0)
	f.Add("a/b", "-1", "99999999999999999999", "", "", "", HeaderVersion, 1)
	f.Add("orders", "2147483648", "1", "-1", "x", "y", "\xff", 9)
	f.Add("orders", "+3", "0x1", " 1", "x", "y", strings.Repeat("k", 1000), 4)
	f.Fuzz(func(t *testing.T, topic, partition, offset, millis, class, step, own string, strange int) {
		values := []string{topic, partition, offset, millis, class, step, "why", "g", "v1"}
		headers := []kgo.RecordHeader{{Key: own, Value: []byte(own)}}
		for i, name := range DeadLetterHeaders() {
			if i+1 == strange {
				name = own
			}
			headers = append(headers, kgo.RecordHeader{Key: name, Value: []byte(values[i])})
		}
		got, err := ReadDeadLetter(headers)
		if err != nil {
			for _, v := range values {
				if len(v) > 40 && strings.Contains(err.Error(), v) || len(err.Error()) > longestReason {
					t.Fatalf("%.1000s: has a value, or is too long", err)
				}
			}
			return
		}
		if got.Topic != topic || got.Class != class || got.Step != step || got.Pipeline != "g" || len(got.Own) != 1 ||
			!sameNumber(partition, int64(got.Partition)) || !sameNumber(offset, got.Offset) ||
			!sameNumber(millis, got.Timestamp.UnixMilli()) {
			t.Fatalf("%+v of %q", got, values)
		}
		if got.Partition < 0 || got.Offset < 0 || !validTopic(got.Topic) {
			t.Fatalf("took %+v", got)
		}
	})
}

// sameNumber compares a number with its text, which may have a sign and leading zeros.
func sameNumber(text string, number int64) bool {
	digits := strings.TrimLeft(strings.TrimPrefix(text, "+"), "0")
	if rest, negative := strings.CutPrefix(text, "-"); negative {
		digits = "-" + strings.TrimLeft(rest, "0")
	}
	return digits == fmt.Sprint(number) || number == 0 && strings.Trim(digits, "-") == ""
}

// FuzzParsePosition holds what three commands and settings take against each other: a target is a start or an offset, an
// end is a start. What is refused is named with a remedy.
func FuzzParsePosition(f *testing.F) {
	for _, seed := range []string{
		"earliest", "latest", "-15m", "-1d12h", "1200", "-1", "+5", "2026-01-31T15:04:05Z", "0000-01-01T00:00:00+23:59", "", "9223372036854775808",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		target, err := ParseTarget(text)
		start, startErr := ParseStart(text)
		_, untilErr := ParseUntil(text)
		for _, e := range []error{err, startErr, untilErr} {
			if fault, ok := errors.AsType[setting.Fault](e); e != nil && (!ok || fault.Remedy == "") {
				t.Fatalf("%q: %v", text, e)
			}
		}
		switch {
		case startErr == nil && (err != nil || start.kind != target.kind || !start.at.Equal(target.at) || start.back != target.back), untilErr == nil && startErr != nil:
			t.Fatalf("%q: target %v, start %v, until %v", text, err, startErr, untilErr)
		case err == nil && startErr != nil && (target.kind != positionOffset || fmt.Sprint(target.offset) != canonical(text)):
			t.Fatalf("%q: took offset %d", text, target.offset)
		case err == nil && target.String() != text:
			t.Fatalf("%q became %q", text, target)
		}
		if ms, ok := target.millis(target.at); ok && ms < 0 {
			t.Fatalf("%q: %d ms is a command to Kafka", text, ms)
		}
	})
}

// canonical is a number without leading zeros.
func canonical(text string) string {
	if trimmed := strings.TrimLeft(text, "0"); trimmed != "" {
		return trimmed
	}
	return "0"
}

// FuzzParseRecord holds that a record's name reads back.
func FuzzParseRecord(f *testing.F) {
	for _, seed := range []string{"events/3@1200", "a/b/3@1", "events/-0@0", "/0@0", "e/2147483648@0", "e/0@9223372036854775808", "e/0@1@2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, offset, err := parseRecord(text)
		if err != nil {
			if _, ok := errors.AsType[setting.Fault](err); !ok {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		again, same, err := parseRecord(fmt.Sprintf("%s@%d", at, offset))
		if err != nil || again != at || same != offset || offset < 0 || at.Partition < 0 {
			t.Fatalf("%q is %v@%d, which is %v@%d, %v", text, at, offset, again, same, err)
		}
	})
}

// batchOf is a whole batch of format 2 around records, with a checksum that is right.
func batchOf(first int64, delta, count int32, attributes uint16, records []byte) []byte {
	batch := make([]byte, batchHeader, batchHeader+len(records))
	binary.BigEndian.PutUint64(batch, uint64(first))
	binary.BigEndian.PutUint16(batch[21:], attributes)
	binary.BigEndian.PutUint32(batch[deltaAt:], uint32(delta))
	binary.BigEndian.PutUint32(batch[countAt:], uint32(count))
	batch = append(batch, records...)
	batch[magicAt] = 2
	binary.BigEndian.PutUint32(batch[lengthAt:], uint32(len(batch)-sizeAt))
	binary.BigEndian.PutUint32(batch[17:], crc32.Checksum(batch[21:], crc32.MakeTable(crc32.Castagnoli)))
	return batch
}

// FuzzExamine holds the look at a batch to what a consumer makes of it: what it lets pass moves a consumer on with every
// record that the batch says it has, and what it refuses is named, without the data, with a place that lies behind.
func FuzzExamine(f *testing.F) {
	two := []byte("\x10\x00\x00\x00\x02a\x02b\x00\x10\x00\x00\x02\x02a\x02b\x00")
	f.Add([]byte{}, int64(0), int64(0), int32(1), int32(2), uint16(0), two)
	f.Add([]byte{}, int64(7), int64(6), int32(1), int32(3), uint16(0), two)
	f.Add([]byte{}, int64(0), int64(0), int32(-5), int32(-1), uint16(0x20), two)
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\x00\x00\x00\x00\x02"), int64(0), int64(0), int32(0), int32(0), uint16(0), []byte{})
	f.Add([]byte{}, int64(3), int64(math.MaxInt64), int32(math.MaxInt32), int32(math.MaxInt32), uint16(1), []byte("\x1f\x8b\x08"))
	f.Add([]byte{}, int64(0), int64(0), int32(9), int32(0), uint16(0), []byte{})
	client, err := kgo.NewClient(kgo.MaxDecompressBatchBytes(1 << 20))
	if err != nil {
		f.Fatal(err)
	}
	defer client.Close()
	unpack := (&Admin{client: client}).decompressor()
	at := TopicPartition{Topic: "events", Partition: 3}
	f.Fuzz(func(t *testing.T, before []byte, offset, first int64, delta, count int32, attributes uint16, records []byte) {
		if count > 1<<20 || offset < 0 {
			return // kgo makes room for as many records as there are bytes: bounded, but slow to try
		}
		batches := slices.Concat(before, batchOf(first, delta, count, attributes, records))
		err := examine(at, offset, batches, unpack)
		if err != nil {
			broken, ok := errors.AsType[*UndecodableError](err)
			if !ok || broken.Offset != offset || offset < math.MaxInt64 && broken.Next <= offset || len(err.Error()) > longestReason ||
				len(records) > 20 && strings.Contains(err.Error(), string(records)) {
				t.Fatalf("%v: next %d", err, broken.Next)
			}
			return
		}
		answer := kmsg.NewFetchResponseTopicPartition()
		answer.Partition, answer.RecordBatches = at.Partition, batches
		took := 0
		fetched, next := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
			KeepControlRecords: true, Offset: offset, Topic: at.Topic, Partition: at.Partition,
		}, &answer, unpack, func(m kgo.FetchBatchMetrics) { took += m.NumRecords })
		if next <= offset && fetched.Err == nil {
			t.Fatalf("a consumer stands at %d", offset)
		}
		if len(before) == 0 && (fetched.Err != nil || took != int(count)) {
			t.Fatalf("a consumer takes %d of %d records: %v", took, count, fetched.Err)
		}
	})
}
