package demo

import (
	"bytes"
	"sync"
	"time"
)

// Checker compares what came out with what must come out, as sets of sequence numbers per partition. See is called by the
// reader, the other methods by anyone.
type Checker struct {
	seed uint64

	// mu guards the rest: the view asks for the counts while the reader adds.
	mu    sync.Mutex
	parts [partitions]seen
}

// maxSeq bounds what a damaged header can make mark allocate.
const maxSeq = 1 << 36

// seen is what came out of one partition.
type seen struct {
	Faults

	// bits has one bit per sequence number. A demo of an hour at 20,000 records/s needs 9 MB.
	bits     []uint64
	last     int64 // the highest sequence number so far, -1 before the first
	Distinct int64
}

// Faults are the ways in which a record can be wrong, counted. Missing is known only at the end.
type Faults struct {
	Missing    int64 // must have come and did not
	Duplicate  int64 // came before
	Disordered int64 // came after one with a higher sequence number
	Unexpected int64 // was filtered, or was never produced
	Altered    int64 // has other bytes than it must have
}

// Sum counts all faults.
func (f Faults) Sum() int64 {
	return f.Missing + f.Duplicate + f.Disordered + f.Unexpected + f.Altered
}

// NewChecker makes a checker for events of this seed.
func NewChecker(seed uint64) *Checker {
	c := &Checker{seed: seed}
	for p := range c.parts {
		c.parts[p].last = -1
	}
	return c
}

// See takes one record of the output topic.
func (c *Checker) See(partition int32, seq int64, value []byte, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	part := &c.parts[partition]
	event := NewEvent(c.seed, partition, seq)
	if seq < 0 || seq > maxSeq || !event.IsView() {
		part.Unexpected++
		return
	}
	if part.mark(seq) {
		part.Distinct++
	} else {
		part.Duplicate++
	}
	if seq < part.last {
		part.Disordered++
	}
	part.last = max(part.last, seq)
	if !bytes.Equal(value, event.AppendView(nil, at)) {
		part.Altered++
	}
}

// mark sets the bit of seq and reports whether it was clear.
func (s *seen) mark(seq int64) bool {
	word, bit := int(seq/64), uint64(1)<<(seq%64)
	if missing := word + 1 - len(s.bits); missing > 0 {
		s.bits = append(s.bits, make([]uint64, missing)...)
	}
	fresh := s.bits[word]&bit == 0
	s.bits[word] |= bit
	return fresh
}

func (s *seen) has(seq int64) bool {
	word := int(seq / 64)
	return word < len(s.bits) && s.bits[word]&(1<<(seq%64)) != 0
}

// Progress is how many different views came out so far, and how many faults were found among them.
func (c *Checker) Progress() (views, faults int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for p := range c.parts {
		views += c.parts[p].Distinct
		faults += c.parts[p].Sum()
	}
	return views, faults
}

// PartitionReport is the verdict on one partition.
type PartitionReport struct {
	Faults

	Produced int64 // events that the broker acknowledged
	Expected int64 // views among them, counted without the service
	Arrived  int64 // different views in the output
}

// Report compares with what was produced: the number of acknowledged events per partition, whose sequence numbers are
// 0 to n-1.
func (c *Checker) Report(produced [partitions]int64) [partitions]PartitionReport {
	c.mu.Lock()
	defer c.mu.Unlock()
	var reports [partitions]PartitionReport
	for p := range c.parts {
		part := &c.parts[p]
		report := PartitionReport{Produced: produced[p], Faults: part.Faults}
		for seq := range produced[p] {
			if !NewEvent(c.seed, int32(p), seq).IsView() {
				continue
			}
			report.Expected++
			if part.has(seq) {
				report.Arrived++
			}
		}
		report.Missing = report.Expected - report.Arrived
		report.Unexpected += part.Distinct - report.Arrived // past the last one produced
		reports[p] = report
	}
	return reports
}
