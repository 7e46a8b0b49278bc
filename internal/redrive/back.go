package redrive

import (
	"streamer/internal/record"
)

// back makes of each letter its record, for the topic and partition that it came from.
type back struct {
	*chooser

	places map[record.Destination]*record.Destination // one for each place, shared by its outputs
}

// Process implements [processor.Worker].
func (w *back) Process(b *record.Block) {
	chosen, seen := w.take(b)
	b.Filtered = seen - len(chosen)
	if b.In = nil; len(chosen) == 0 {
		b.Charge(record.BlockOverhead - b.Bytes())
		return
	}
	// The outputs pin what the letters pinned, so the charge stays.
	b.Out = make([]record.Output, len(chosen))
	for i := range chosen {
		l := &chosen[i]
		// Its time is that of its sending: with the record's own, an old one would be past the topic's retention at once.
		b.Out[i] = record.Output{Key: l.Key, Value: l.Value, Headers: l.headers(), Offset: l.Offset, To: w.place(l)}
	}
}

// place is the partition that the record came from. If the topic was made anew with fewer, it goes by its key like its
// neighbours, and without one where the sink would put a record of that partition.
func (w *back) place(l *letter) *record.Destination {
	to := record.Destination{Topic: l.from.Topic, Partition: l.from.Partition}
	if n := w.sources[to.Topic]; int(to.Partition) >= n {
		if to.Partition %= int32(n); l.Key != nil {
			to.Partition, to.ByKey = -1, true
		}
	}
	if w.places[to] == nil {
		w.places[to] = &to
	}
	return w.places[to]
}
