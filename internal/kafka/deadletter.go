package kafka

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The headers of a dead letter: where the record came from, and what was wrong with it. They stand behind the record's own
// headers; of a record that fails again the last of each name counts.
const (
	HeaderSourceTopic     = "streamer-source-topic"
	HeaderSourcePartition = "streamer-source-partition"
	HeaderSourceOffset    = "streamer-source-offset"
	HeaderSourceTimestamp = "streamer-source-timestamp" // milliseconds since 1970
	HeaderErrorClass      = "streamer-error-class"      // as pipeline.on_error names it
	HeaderErrorStep       = "streamer-error-step"       // as it stands in the configuration: steps[0].filter
	HeaderErrorReason     = "streamer-error-reason"     // without the record's data
	HeaderPipeline        = "streamer-pipeline"         // the consumer group
	HeaderVersion         = "streamer-version"
)

// DeadLetterHeaders lists the headers of a dead letter.
func DeadLetterHeaders() []string {
	return []string{
		HeaderSourceTopic, HeaderSourcePartition, HeaderSourceOffset, HeaderSourceTimestamp, HeaderErrorClass,
		HeaderErrorStep, HeaderErrorReason, HeaderPipeline, HeaderVersion,
	}
}

// HeaderRedriven is on a record that was sent again from the dead-letter topic: TOPIC/PARTITION/OFFSET of its dead letter.
// Whoever must not take a record twice knows it by that.
const HeaderRedriven = "streamer-redriven-from"

// Provenance is what a dead letter says of its record.
type Provenance struct {
	Topic     string
	Partition int32
	Offset    int64
	Timestamp time.Time
	Class     string
	Step      string
	Pipeline  string // the consumer group; empty if it had none
	// Own are the headers that the record had itself. They share the letter's memory.
	Own []kgo.RecordHeader
}

// longestName is how much of a header's name an error shows.
const longestName = 64

// ReadDeadLetter reads the headers that stand behind the record's own. Only those are Streamer's: a record may have
// had headers of the same names itself, if it failed before and its consumer copied them.
func ReadDeadLetter(headers []kgo.RecordHeader) (Provenance, error) {
	names := DeadLetterHeaders()
	own := len(headers) - len(names)
	if own < 0 {
		return Provenance{}, fmt.Errorf("it has %d headers, a dead letter of Streamer has %d or more", len(headers), len(names))
	}
	of := func(name string) string { return string(headers[own+slices.Index(names, name)].Value) }
	for i, name := range names {
		if found := headers[own+i].Key; found != name {
			found = found[:min(len(found), longestName)] // whoever writes to the topic could fill the log with it
			return Provenance{}, fmt.Errorf("header %q stands where a dead letter has %s", found, name)
		}
	}
	p := Provenance{
		Topic: of(HeaderSourceTopic), Class: of(HeaderErrorClass), Step: of(HeaderErrorStep),
		Pipeline: of(HeaderPipeline), Own: headers[:own:own],
	}
	partition, err := readNumber(HeaderSourcePartition, of(HeaderSourcePartition), 32)
	if err != nil {
		return Provenance{}, err
	}
	if p.Offset, err = readNumber(HeaderSourceOffset, of(HeaderSourceOffset), 64); err != nil {
		return Provenance{}, err
	}
	millis, err := strconv.ParseInt(of(HeaderSourceTimestamp), 10, 64) // below zero: a record without a time
	if err != nil {
		return Provenance{}, fmt.Errorf("header %s is not a number", HeaderSourceTimestamp)
	}
	p.Partition, p.Timestamp = int32(partition), time.UnixMilli(millis)
	if !validTopic(p.Topic) {
		return Provenance{}, fmt.Errorf("header %s is not a topic name", HeaderSourceTopic)
	}
	return p, nil
}

func readNumber(header, text string, bits int) (int64, error) {
	n, err := strconv.ParseInt(text, 10, bits)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("header %s is not a number from 0", header)
	}
	return n, nil
}
