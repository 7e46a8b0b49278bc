package partitionstream

import (
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"streamer/internal/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	owner = record.Owner{Topic: "t", Partition: 3, Epoch: 1}
	wide  = Config{MaxRecords: 1000, MaxBytes: 1 << 20}
)

func testStream(cfg Config, first, end int64) (*stream, *record.Budget) {
	budget := record.NewBudget(0, func() {})
	return newStream(owner, cfg, budget.NewAccount(), first, end), budget
}

// records makes one record of 10 bytes at each offset; a negative offset is a control record at its absolute value.
func records(offsets ...int64) []*kgo.Record {
	made := make([]*kgo.Record, 0, len(offsets))
	for _, o := range offsets {
		r := &kgo.Record{Offset: o, Value: make([]byte, 10), LeaderEpoch: 7, Timestamp: epoch.Add(time.Duration(o) * time.Second)}
		if o < 0 {
			r.Offset, r.Attrs = -o, control()
		}
		made = append(made, r)
	}
	return made
}

// control is the attributes of a transaction's marker, which only a decoded fetch can have.
func control() kgo.RecordAttrs {
	return controlRecord.Attrs
}

func TestRegression06GapsAndMarkersAreCovered(t *testing.T) {
	t.Parallel()
	s, _ := testStream(wide, 5, noEnd)
	if cut := s.receive(records(7, 9, -12), epoch); len(cut) != 0 {
		t.Fatalf("cut %d blocks, want none yet", len(cut))
	}
	b := s.cut(record.ByInterval)
	if want := (record.Span{First: 5, Next: 13, LeaderEpoch: 7}); b.Span != want || len(b.In) != 2 {
		t.Fatalf("span %v epoch %d with %d records, want %v with 2", b.Span, b.Span.LeaderEpoch, len(b.In), want)
	}
	s.receive(records(-13), epoch)
	if b = s.cut(record.ByInterval); b.Span.First != 13 || b.Span.Next != 14 || len(b.In) != 0 {
		t.Fatalf("a lone marker gave %v with %d records, want [13,14) with none", b.Span, len(b.In))
	}
}

func TestRecordsThatWereReceivedBeforeAreLeftOut(t *testing.T) {
	t.Parallel()
	s, _ := testStream(wide, 0, noEnd)
	s.receive(records(0, 1, 2), epoch)
	s.receive(records(1, 2, 3), epoch)
	if b := s.cut(record.ByInterval); len(b.In) != 4 || b.Span.Next != 4 {
		t.Fatalf("%d records to %d, want 4 to 4", len(b.In), b.Span.Next)
	}
}

func TestSizeBoundsCutInTheirOwnName(t *testing.T) {
	t.Parallel()
	s, _ := testStream(Config{MaxRecords: 2, MaxBytes: 1 << 20}, 0, noEnd)
	if cut := s.receive(records(0, 1, 2, 3, 4), epoch); len(cut) != 3 || cut[1].Cut != record.ByRecords || s.open != nil {
		t.Fatalf("cut %d blocks, want 2 by records and the rest with them", len(cut))
	}
	s, _ = testStream(Config{MaxRecords: 100, MaxBytes: 2 * (record.RecordOverhead + 10)}, 0, noEnd)
	if cut := s.receive(records(0, 1, 2), epoch); len(cut) != 2 || cut[0].Cut != record.ByBytes || len(cut[0].In) != 2 {
		t.Fatalf("cut %d blocks, want one by bytes with 2 records, and the rest with it", len(cut))
	}
}

func TestTheRestOfALargePollIsNotHeld(t *testing.T) {
	t.Parallel()
	s, _ := testStream(Config{MaxRecords: 3, MaxBytes: 1 << 20}, 0, noEnd)
	now := epoch
	for _, poll := range []struct {
		records []int64
		want    []record.Span
		open    bool
	}{
		{[]int64{0, 1}, nil, true},
		{[]int64{2, 3}, []record.Span{{First: 0, Next: 3}}, true}, // the block was begun before
		{[]int64{4, 5, 6, 7, 8, 9, 10, 11}, []record.Span{{First: 3, Next: 6}, {First: 6, Next: 9}, {First: 9, Next: 12}}, false},
		{[]int64{12, 13, 14, 15}, []record.Span{{First: 12, Next: 15}, {First: 15, Next: 16}}, false},
		{[]int64{16}, nil, true},
	} {
		now = now.Add(time.Millisecond)
		var got []record.Span
		for _, b := range s.receive(records(poll.records...), now) {
			if b.Cut != record.ByRecords {
				t.Errorf("%v was cut by %v", b.Span, b.Cut)
			}
			b.Span.LeaderEpoch = 0
			got = append(got, b.Span)
		}
		if !slices.Equal(got, poll.want) || (s.open != nil) != poll.open {
			t.Fatalf("after %v: %v, open %v; want %v and %v", poll.records, got, s.open != nil, poll.want, poll.open)
		}
	}
}

func TestABoundedStreamEndsExactlyAtItsEnd(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		offsets []int64
		records int
	}{
		{"the last offset has a record", []int64{0, 1, 9}, 3},
		{"only a later record shows that the rest is empty", []int64{0, 1, 12}, 2},
		{"the last offset is a marker", []int64{0, 1, -9}, 2},
	} {
		s, _ := testStream(wide, 0, 10)
		cut := s.receive(records(c.offsets...), epoch)
		if len(cut) != 1 || cut[0].Span.Next != 10 || cut[0].Cut != record.ByEnd || len(cut[0].In) != c.records || !s.finished() {
			t.Errorf("%s: got %+v, want one block of %d records to 10", c.name, cut, c.records)
		}
		if more := s.receive(records(20), epoch); len(more) != 0 || s.open != nil {
			t.Errorf("%s: took a record past the end", c.name)
		}
	}
}

// With the leader epoch of the record at 1, an offset of 10 would look like a log that was cut, if that epoch ended at 5.
func TestAnEndThatNoRecordTouchesHasNoLeaderEpoch(t *testing.T) {
	t.Parallel()
	s, _ := testStream(wide, 0, 10)
	cut := s.receive(records(0, 1, 12), epoch)
	if len(cut) != 1 || cut[0].Span.Next != 10 || cut[0].Span.LeaderEpoch != -1 {
		t.Fatalf("got %+v, want one block to 10 without an epoch", cut)
	}
	s.acknowledge(cut[0].Span)
	if s.ackedEpoch != -1 {
		t.Fatalf("would commit leader epoch %d", s.ackedEpoch)
	}
}

// A quiet partition's block may stay open for an hour, while a busy one opens a block with each poll.
func TestEntriesOfCutBlocksDoNotPileUp(t *testing.T) {
	t.Parallel()
	quiet, _ := testStream(wide, 0, noEnd)
	busy, _ := testStream(wide, 0, noEnd)
	a := &Assignment{streams: map[partition]*stream{{"t", 1}: quiet, {"t", 2}: busy}}
	quiet.receive(records(0), epoch)
	a.noteOpened(quiet)
	for i := range int64(1000) {
		busy.receive(records(i), epoch)
		a.noteOpened(busy)
		busy.cut(record.ByRecords)
	}
	if len(a.opened) > 21 {
		t.Fatalf("%d entries for 2 streams", len(a.opened))
	}
	if o, ok := a.oldestOpen(); !ok || o.stream != quiet {
		t.Fatal("the quiet partition's block was forgotten")
	}
}

func TestDropGivesTheOpenBlockBack(t *testing.T) {
	t.Parallel()
	s, budget := testStream(wide, 0, noEnd)
	s.receive(records(0, 1), epoch)
	if n := s.drop(); n != 2 || budget.Used() != 0 || s.next != 0 {
		t.Fatalf("dropped %d, %d bytes in flight, next %d; want 2, 0, 0", n, budget.Used(), s.next)
	}
}

func TestLagAgesFromTheOldestRecordThatIsNotDelivered(t *testing.T) {
	t.Parallel()
	s, _ := testStream(wide, 0, noEnd)
	s.stats.logEnd = 10
	s.receive(records(0, 1), epoch)
	first := s.cut(record.ByInterval)
	s.receive(records(2, 3), epoch)
	now := epoch.Add(time.Minute)
	if lag, age := s.lag(now); lag != 10 || age != time.Minute {
		t.Fatalf("lag %d, %v; want 10, 1m", lag, age)
	}
	s.acknowledge(first.Span)
	s.committed = s.acked
	if lag, age := s.lag(now); lag != 8 || age != 58*time.Second {
		t.Fatalf("lag %d, %v; want 8, 58s", lag, age)
	}
	s.stats.logEnd = 2
	if lag, age := s.lag(now); lag != 0 || age != 0 {
		t.Fatalf("lag %d, %v; want none", lag, age)
	}
}

// The model: whatever the polls and cuts, the blocks' spans join up from first to next, hold each record once and in
// order, and what is charged is released to exactly 0.
func TestBlocksPartitionTheStream(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		first := rapid.Int64Range(0, 50).Draw(t, "first")
		end := rapid.SampledFrom([]int64{noEnd, first + 30}).Draw(t, "end")
		s, budget := testStream(Config{MaxRecords: rapid.IntRange(1, 5).Draw(t, "max"), MaxBytes: 1 << 20}, first, end)
		var blocks []*record.Block
		var sent []int64
		at := first
		for range rapid.IntRange(0, 20).Draw(t, "polls") {
			var offsets []int64
			for range rapid.IntRange(0, 8).Draw(t, "records") {
				at += rapid.Int64Range(0, 3).Draw(t, "gap")
				offsets = append(offsets, at)
				if at < end {
					sent = append(sent, at)
				}
				at++
			}
			blocks = append(blocks, s.receive(records(offsets...), epoch)...)
			if s.open != nil && rapid.Bool().Draw(t, "cut") {
				blocks = append(blocks, s.cut(record.ByInterval))
			}
		}
		if s.open != nil {
			blocks = append(blocks, s.cut(record.ByDrain))
		}
		next := first
		for _, b := range blocks {
			if b.Span.First != next {
				t.Fatalf("span %v follows offset %d", b.Span, next)
			}
			next = b.Span.Next
			for _, r := range b.In {
				if len(sent) == 0 || r.Offset != sent[0] {
					t.Fatalf("record %d, want %v next", r.Offset, sent)
				}
				sent = sent[1:]
			}
			b.Release()
			b.Release()
		}
		if next != s.next || next > end || len(sent) != 0 {
			t.Fatalf("blocks reach %d, stream %d, end %d, %d records missing", next, s.next, end, len(sent))
		}
		if budget.Used() != 0 {
			t.Fatalf("%d bytes in flight after all was released", budget.Used())
		}
	})
}
