package kafkasink

import (
	"github.com/twmb/franz-go/pkg/kbin"

	"streamer/internal/record"
)

// batchOverhead is the least that kgo adds to a record's own length for the record batch around it (format v2, produce
// request v9 and later; older ones take three bytes more).
const batchOverhead = 62

// batchSize is what kgo counts, at the least, for a record batch that has only this output in it. kgo refuses it when that
// is above the limit; this must never be larger than what kgo counts, or a record would be refused that fits.
func batchSize(out *record.Output) int {
	// Attributes, timestamp delta and offset delta take a byte each in the first record of a batch.
	n := 3 + int(out.Payload()) + varint(len(out.Key)) + varint(len(out.Value)) + varint(len(out.Headers))
	for i := range out.Headers {
		n += varint(len(out.Headers[i].Key)) + varint(len(out.Headers[i].Value))
	}
	return batchOverhead + varint(n) + n
}

// varint is the length of a length: one within a record, far below 2 GiB.
func varint(n int) int { return kbin.VarintLen(int32(n)) }

// tooLarge reports whether no record batch can hold the output. One with very many empty headers is left to the client.
func (s *Sink) tooLarge(out *record.Output) bool {
	limit := int(s.cfg.MaxMessageBytes)
	return int(out.Payload()) > limit/2 && batchSize(out) > limit
}
