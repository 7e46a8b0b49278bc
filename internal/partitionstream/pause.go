package partitionstream

import (
	"cmp"
	"slices"
)

// Levels are the marks of the byte budget, in bytes.
type Levels struct {
	// Low is where paused partitions resume, High where the largest are paused. Between them nothing changes, because a
	// pause strips the partition from what kgo has buffered and that data is fetched again.
	Low, High int64
	// Full is where every partition is paused, those without anything in flight too. Below it a partition with nothing in
	// flight is never paused. Without it, 1,000 idle partitions that wake together would each bring a fetch on top of a
	// full budget. It cannot starve anybody: above Low something is in flight, and its release resumes all.
	Full int64
}

// load is what one stream has in flight.
type load struct {
	stream *stream
	used   int64
}

// choosePauses returns the streams to pause at a level of used bytes. Between High and Full these are the largest, until
// the paused ones, which hold so many bytes already, hold at least half of all: one hot partition is paused alone and
// stays alone, and of a thousand equal ones as many go on as what they add leaves room for.
func choosePauses(l Levels, used, paused int64, running []load) []*stream {
	if used < l.High {
		return nil
	}
	slices.SortFunc(running, func(x, y load) int { return cmp.Compare(y.used, x.used) })
	sum := paused
	for _, r := range running {
		sum += r.used
	}
	var pauses []*stream
	for _, r := range running {
		if used < l.Full && (r.used == 0 || 2*paused >= sum) {
			break
		}
		pauses = append(pauses, r.stream)
		paused += r.used
	}
	return pauses
}
