package ledger_test

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"streamer/integration/ledger"
)

// faultless is a ledger of two partitions with offset gaps, two lanes, and samples taken while it was written. Partition
// 0 has sequence numbers 0 to 9 at offsets 0, 2, 4 and so on.
func faultless() *ledger.Ledger {
	l := &ledger.Ledger{Produced: map[int32][]ledger.Stored{}, Delivered: map[string][]ledger.ID{}}
	const records = 10
	for partition := range int32(2) {
		lane := string('a' + partition)
		for seq := range int64(records) {
			id := ledger.ID{Partition: partition, Seq: seq}
			l.Produced[partition] = append(l.Produced[partition], ledger.Stored{Offset: 2 * seq, ID: id})
			l.Delivered[lane] = append(l.Delivered[lane], id)
		}
	}
	for done := 0; done <= records; done += 2 {
		l.Samples = append(l.Samples, ledger.Sample{
			Committed: map[int32]int64{0: int64(2 * done), 1: int64(done)},
			Readable:  map[string]int{"a": done, "b": records},
		})
	}
	return l
}

func TestFaultlessLedgerPasses(t *testing.T) {
	t.Parallel()
	report := faultless().Check()
	if err := report.ExactlyOnce(); err != nil {
		t.Error(err)
	}
	if report.Produced != 20 || report.Delivered != 20 {
		t.Errorf("counted %v", report)
	}
}

// TestMutants feeds the checker one fault at a time. Each case is a service that would break the promise in that way;
// a checker that passes it proves nothing about a service that it passes.
func TestMutants(t *testing.T) {
	t.Parallel()
	for _, mutant := range []struct {
		name  string
		fault func(*ledger.Ledger)
		found func(*ledger.Report) int
	}{
		{"a record is lost in the middle", func(l *ledger.Ledger) {
			l.Delivered["a"] = slices.Delete(l.Delivered["a"], 4, 5)
		}, func(r *ledger.Report) int { return len(r.Lost) }},
		{"the last record is lost", func(l *ledger.Ledger) {
			l.Delivered["b"] = l.Delivered["b"][:9]
		}, func(r *ledger.Report) int { return len(r.Lost) }},
		{"a block is dropped and its span committed", func(l *ledger.Ledger) {
			l.Delivered["a"] = slices.Delete(l.Delivered["a"], 2, 6)
		}, func(r *ledger.Report) int { return min(len(r.Lost), len(r.CommitsAhead)) }},
		{"a lost record and a duplicate make the counts equal", func(l *ledger.Ledger) {
			l.Delivered["a"][9] = l.Delivered["a"][8]
		}, func(r *ledger.Report) int { return min(len(r.Lost), r.Duplicates) }},
		{"a whole partition is lost", func(l *ledger.Ledger) {
			delete(l.Delivered, "b")
		}, func(r *ledger.Report) int { return len(r.Lost) }},
		{"two blocks change places", func(l *ledger.Ledger) {
			lane := l.Delivered["b"]
			l.Delivered["b"] = slices.Concat(lane[3:6], lane[:3], lane[6:])
		}, func(r *ledger.Report) int { return len(r.Disorder) }},
		{"neighbours change places", func(l *ledger.Ledger) {
			lane := l.Delivered["b"]
			lane[8], lane[9] = lane[9], lane[8]
		}, func(r *ledger.Report) int { return len(r.Disorder) }},
		{"commit before the sink", func(l *ledger.Ledger) {
			l.Samples[2].Committed[0]++ // offset 8, whose record is delivered after this sample
		}, func(r *ledger.Report) int { return len(r.CommitsAhead) }},
		{"commit of what never came", func(l *ledger.Ledger) {
			l.Delivered["b"] = l.Delivered["b"][:5]
			l.Samples = []ledger.Sample{{Committed: map[int32]int64{1: 20}, Readable: map[string]int{"b": 5}}}
		}, func(r *ledger.Report) int { return len(r.CommitsAhead) }},
		{"commit after revoke goes back", func(l *ledger.Ledger) {
			l.Samples[3].Committed[1] = 3
		}, func(r *ledger.Report) int { return len(r.CommitsBack) }},
		{"a commit disappears", func(l *ledger.Ledger) {
			delete(l.Samples[4].Committed, 1)
		}, func(r *ledger.Report) int { return len(r.CommitsBack) }},
		{"a record of an aborted transaction is delivered", func(l *ledger.Ledger) {
			l.Delivered["a"] = append(l.Delivered["a"], ledger.ID{Partition: 0, Seq: 10})
		}, func(r *ledger.Report) int { return len(r.Strangers) }},
		{"a gap in the input is delivered", func(l *ledger.Ledger) {
			l.Produced[0] = slices.Delete(l.Produced[0], 4, 5)
		}, func(r *ledger.Report) int { return len(r.Strangers) }},
		{"a record is delivered twice", func(l *ledger.Ledger) {
			l.Delivered["b"] = append(l.Delivered["b"], l.Delivered["b"][2:5]...)
		}, func(r *ledger.Report) int { return r.Duplicates }},
	} {
		t.Run(mutant.name, func(t *testing.T) {
			t.Parallel()
			l := faultless()
			mutant.fault(l)
			report := l.Check()
			if mutant.found(report) == 0 {
				t.Errorf("not caught: %v", report)
			}
			if err := report.ExactlyOnce(); !errors.Is(err, ledger.ErrBroken) {
				t.Errorf("verdict %v", err)
			}
		})
	}
}

// TestUnseenLaneAccusesNobody would catch a checker that takes a lane that a sample did not see for an empty one: a new
// partition is not known at once. What such a sample has committed is held against the next that sees the lane.
func TestUnseenLaneAccusesNobody(t *testing.T) {
	t.Parallel()
	l := faultless()
	delete(l.Samples[2].Readable, "a")
	if err := l.Check().ExactlyOnce(); err != nil {
		t.Error(err)
	}
	l.Samples[3].Readable["a"] = 0
	if len(l.Check().CommitsAhead) == 0 {
		t.Error("a later sample did not look at what was committed")
	}
}

// TestRepetitionIsNoDisorder would catch a checker that takes the repetitions after a crash for disorder.
func TestRepetitionIsNoDisorder(t *testing.T) {
	t.Parallel()
	l := faultless()
	lane := l.Delivered["b"]
	l.Delivered["b"] = slices.Concat(lane[:6], lane[3:])
	report := l.Check()
	if err := report.AtLeastOnce(); err != nil {
		t.Error(err)
	}
	if report.Duplicates != 3 {
		t.Errorf("%d duplicates, want 3", report.Duplicates)
	}
}

// TestCheckAgainstModel compares the checker's sets with the plainest ones.
func TestCheckAgainstModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.Custom(func(t *rapid.T) ledger.ID {
			return ledger.ID{
				Partition: rapid.Int32Range(0, 2).Draw(t, "partition"),
				Seq:       rapid.Int64Range(0, 12).Draw(t, "seq"),
			}
		})
		produced := rapid.SliceOfDistinct(ids, func(id ledger.ID) ledger.ID { return id }).Draw(t, "produced")
		delivered := rapid.SliceOf(ids).Draw(t, "delivered")
		l := &ledger.Ledger{
			Produced:  map[int32][]ledger.Stored{},
			Delivered: map[string][]ledger.ID{"a": delivered[:len(delivered)/2], "b": delivered[len(delivered)/2:]},
		}
		lost := map[ledger.ID]bool{}
		for _, id := range produced {
			l.Produced[id.Partition] = append(l.Produced[id.Partition],
				ledger.Stored{Offset: int64(len(l.Produced[id.Partition])), ID: id})
			lost[id] = true
		}
		strangers, known := 0, maps.Clone(lost)
		for _, id := range delivered {
			if !known[id] {
				strangers++
			}
			delete(lost, id)
		}
		report := l.Check()
		duplicates := len(delivered) - strangers - (len(produced) - len(lost))
		if len(report.Lost) != len(lost) || len(report.Strangers) != strangers || report.Duplicates != duplicates {
			t.Fatalf("%v; want %d lost, %d strangers, %d duplicates", report, len(lost), strangers, duplicates)
		}
	})
}
