package redrive

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/kafka"
	"streamer/internal/record"
)

// letter is a dead letter and what it says of its record.
type letter struct {
	*kgo.Record

	from kafka.Provenance
}

// headers are the record's own, and the origin.
func (l *letter) headers() []kgo.RecordHeader {
	return withOrigin(l.from.Own, l.Topic, l.Partition, l.Offset)
}

// withOrigin puts the origin behind the headers. That of an earlier redrive goes: with two, a consumer that looks at the
// first would take a record that failed again for one that it has.
func withOrigin(own []kgo.RecordHeader, topic string, partition int32, offset int64) []kgo.RecordHeader {
	headers := slices.DeleteFunc(slices.Clone(own), func(h kgo.RecordHeader) bool { return h.Key == kafka.HeaderRedriven })
	origin := fmt.Appendf(nil, "%s/%d/", topic, partition)
	return append(headers, kgo.RecordHeader{Key: kafka.HeaderRedriven, Value: strconv.AppendInt(origin, offset, 10)})
}

// original is the record as its pipeline met it, but for its offset: spans and failures are in the letters' offsets.
func (l *letter) original() *kgo.Record {
	return &kgo.Record{
		Topic: l.from.Topic, Partition: l.from.Partition, Offset: l.Offset, LeaderEpoch: l.LeaderEpoch,
		Key: l.Key, Value: l.Value, Headers: l.headers(), Timestamp: l.from.Timestamp,
	}
}

// Original is the record that failed again, as its dead letter has to name it: by its place in the source, not by that of
// the letter that it was read from. Without it the next redrive would send it to the dead-letter topic.
func Original(d record.DeadLetter) record.DeadLetter {
	from, err := kafka.ReadDeadLetter(d.Headers)
	if err != nil { // the worker has stopped at such a letter
		return d
	}
	d.Headers = withOrigin(from.Own, d.Owner.Topic, d.Owner.Partition, d.Offset)
	d.Owner = record.Owner{Topic: from.Topic, Partition: from.Partition}
	d.Offset, d.Timestamp = from.Offset, from.Timestamp
	return d
}

// letterError is a letter that cannot be sent as it says.
type letterError struct{ why string }

func (e *letterError) Error() string { return e.why }

// Remedy says what helps; the service puts it in place of what helps with a record of a pipeline.
func (e *letterError) Remedy() string {
	return "to send only what is of some topics, classes or times, narrow the selection (--topic, --class, --since)"
}
