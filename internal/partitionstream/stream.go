package partitionstream

import (
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/record"
)

// noEnd is the end of a stream that is not bounded.
const noEnd = math.MaxInt64

// stream is one direct stream: what one partition under one assignment has received and what became of it. Its spans are
// contiguous by construction: a block begins where the one before it ended, so gaps in the offsets are covered. Only the
// assignment loop uses it; its methods are pure but for the byte account.
type stream struct {
	owner   record.Owner
	member  string // the group's member id under which it was assigned
	cfg     Config
	account *record.Account

	next int64         // one past the last offset received
	end  int64         // first offset that a bounded run does not want, or noEnd
	open *record.Block // nil when nothing was received since the last cut
	size int64         // payload and overhead of open's records
	// charged is what of size the account knows already; the rest follows once per poll, not once per record.
	charged int64

	acked      int64 // one past the last offset that the sink acknowledged
	ackedEpoch int32
	committed  int64 // what the group's commit for the partition is
	// commitErr is the last commit's failure; nil if it succeeded. commitErrSince is when it first failed.
	commitErr      error
	commitErrSince time.Time
	unacked        []mark

	paused    bool  // in kgo, for memory
	draining  bool  // revoked or stopping: takes no more records
	resetting bool  // halted: waits until all that it received is committed before it asks where to go on
	doubt     error // why: what is at its position could not be read; nil if the position is out of the log's range
	asking    bool  // a look-up at the broker is under way
	probed    int64
	short     uint64 // short batches of the client when the last gap was looked at
	doubted   tries  // looks at a position that the client could not read
	standing  tries  // looks at a position that the client does not get past

	stats streamStats
}

// mark remembers the age of a block that is not acknowledged yet.
type mark struct {
	next   int64
	oldest time.Time
}

// newStream starts at offset first, which is also what is committed. A bounded stream whose end lies before first has
// nothing to do.
func newStream(owner record.Owner, cfg Config, account *record.Account, first, end int64) *stream {
	return &stream{
		owner: owner, cfg: cfg, account: account,
		next: first, end: max(first, end),
		acked: first, ackedEpoch: -1, committed: first, probed: -1,
		stats: streamStats{logEnd: -1},
	}
}

// finished reports whether a bounded stream has received all it wants.
func (s *stream) finished() bool { return s.next >= s.end }

// settled reports whether everything received has been acknowledged and committed.
func (s *stream) settled() bool { return s.open == nil && s.acked == s.next && s.committed == s.acked }

// receive appends records of one poll, in offset order, and returns the blocks that became full, or complete because the
// stream reached its end or the poll alone was more than a block. Control records carry no data but move the span: without
// them the lag would stand still behind a transaction's marker. Records before the stream's place were received already
// and are left out.
func (s *stream) receive(records []*kgo.Record, now time.Time) []*record.Block {
	var cut []*record.Block
	for len(records) > 0 && records[0].Offset < s.next {
		records = records[1:]
	}
	for len(records) > 0 {
		if records[0].Offset >= s.end {
			s.reachEnd(now)
			break
		}
		records = records[s.take(records, now):]
		if why, full := s.full(); full {
			cut = append(cut, s.cut(why))
		}
	}
	if s.finished() && s.open != nil {
		cut = append(cut, s.cut(record.ByEnd))
	}
	// A poll that fills whole blocks is of a partition in full flow. Its rest would hold on to the whole fetch until the
	// interval is over, and that of 64 partitions cost every record a sixth more and the process half as much memory again.
	if n := len(cut); n > 0 && s.open != nil && cut[n-1].Opened.Equal(now) {
		cut = append(cut, s.cut(cut[n-1].Cut))
	}
	s.charge()
	return cut
}

// take appends the first records up to what fills the block, the stream's end or a control record, and returns how many
// it took: at least one. What is the same for all of them is done once: this loop touches every record that is received.
func (s *stream) take(records []*kgo.Record, now time.Time) int {
	b := s.ensureOpen(now)
	room, payload, n := s.cfg.MaxRecords-len(b.In), int64(0), 0
	for n < min(room, len(records)) && s.size < int64(s.cfg.MaxBytes) {
		r := records[n]
		if r.Offset >= s.end || r.Attrs.IsControl() {
			break
		}
		s.size += record.Size(r)
		payload += int64(len(r.Key) + len(r.Value))
		n++
	}
	last := records[max(n, 1)-1]
	s.next = last.Offset + 1
	b.Span.Next, b.Span.LeaderEpoch = s.next, last.LeaderEpoch
	if n == 0 {
		return 1 // a control record
	}
	if len(b.In) == 0 {
		s.unacked = append(s.unacked, mark{next: records[0].Offset + 1, oldest: records[0].Timestamp})
	}
	// Copied: a part of the poll's own list would hold on to the records of all blocks that came with it.
	b.In = append(b.In, records[:n]...)
	b.Received += n
	b.LastTimestamp = last.Timestamp
	s.stats.records += int64(n)
	s.stats.bytes += payload
	return n
}

// ensureOpen returns the open block, opening one where the last ended.
func (s *stream) ensureOpen(now time.Time) *record.Block {
	if s.open == nil {
		s.open = &record.Block{
			Owner:  s.owner,
			Span:   record.Span{First: s.next, Next: s.next, LeaderEpoch: -1},
			Opened: now,
		}
		s.account.Open(s.open)
		s.size, s.charged = 0, 0
	}
	return s.open
}

// reachEnd extends the stream to its end: a record at or past it was seen, or the log was found to hold nothing before
// it, so what lies between is empty.
func (s *stream) reachEnd(now time.Time) {
	if s.finished() {
		return
	}
	b := s.ensureOpen(now)
	s.next = s.end
	// No record was seen just before the end, and the last leader epoch that was seen may have ended earlier: committed
	// with this offset it would look like a log that was cut.
	b.Span.Next, b.Span.LeaderEpoch = s.end, -1
}

func (s *stream) full() (record.Reason, bool) {
	switch {
	case len(s.open.In) >= s.cfg.MaxRecords:
		return record.ByRecords, true
	case s.size >= int64(s.cfg.MaxBytes):
		return record.ByBytes, true
	}
	return 0, false
}

// charge brings the account up to date with the open block.
func (s *stream) charge() {
	if s.open != nil && s.size != s.charged {
		s.open.Charge(s.size - s.charged)
		s.charged = s.size
	}
}

// cut closes the open block, which must exist, and returns it.
func (s *stream) cut(why record.Reason) *record.Block {
	s.charge()
	b := s.open
	b.Cut = why
	s.open = nil
	if n := len(s.unacked); n > 0 && s.unacked[n-1].next > b.Span.First {
		s.unacked[n-1].next = b.Span.Next
	}
	return b
}

// acknowledge notes that the sink has everything before span.Next.
func (s *stream) acknowledge(span record.Span) {
	s.acked, s.ackedEpoch = span.Next, span.LeaderEpoch
	done := 0
	for done < len(s.unacked) && s.unacked[done].next <= s.acked {
		s.stats.lastAckedRecord = s.unacked[done].oldest
		done++
	}
	s.unacked = s.unacked[done:]
}

// drop gives up the open block; its records are neither delivered nor committed. It returns how many records it held.
func (s *stream) drop() int {
	if s.open == nil {
		return 0
	}
	n := s.open.Received
	s.next = s.open.Span.First
	s.open.Release()
	s.open = nil
	return n
}
