package demo

import (
	"cmp"
	"slices"
	"time"

	"streamer/internal/admin"
)

const (
	// rateWindow spans two batches, or the output's rate would jump between nothing and double.
	rateWindow = 2 * time.Second
	// sparkEvery is the time that one column of a sparkline stands for, sparkColumns how many are kept.
	sparkEvery   = 500 * time.Millisecond
	sparkColumns = 24
)

// look is one look at the service.
type look struct {
	at     time.Time
	status admin.Status
}

// recorder remembers looks at the service for as long as rates need them. It is used by the display only.
type recorder struct {
	looks   []look // oldest first, the last one is now
	in, out []float64
	sparked time.Time
}

// add takes a look and fills in the frame's status, previous status and past rates.
func (r *recorder) add(frame *Frame, now time.Time, status admin.Status) {
	r.looks = append(r.looks, look{now, status})
	for len(r.looks) > 2 && now.Sub(r.looks[1].at) >= rateWindow {
		r.looks = r.looks[1:]
	}
	first := r.looks[0]
	frame.Now, frame.Status = now, status
	frame.Previous, frame.Between = first.status, now.Sub(first.at)
	if now.Sub(r.sparked) >= sparkEvery {
		r.sparked = now
		r.in = spark(r.in, frame.rate(func(t admin.Totals) int64 { return t.Received }))
		r.out = spark(r.out, frame.rate(func(t admin.Totals) int64 { return t.Delivered }))
	}
	frame.In, frame.Out = r.in, r.out
}

func spark(values []float64, next float64) []float64 {
	values = append(values, next)
	return values[max(0, len(values)-sparkColumns):]
}

// withEnds replaces what the service knows of the input's ends, which it asks for every few seconds, by what the broker
// has just acknowledged, and counts lag from the commit.
func withEnds(status admin.Status, acked [partitions]int64) admin.Status {
	status.Partitions = slices.Clone(status.Partitions)
	for i := range status.Partitions {
		p := &status.Partitions[i]
		p.End = acked[p.Partition]
		p.Lag = max(p.End-max(p.Committed, 0), 0)
	}
	slices.SortFunc(status.Partitions, func(a, b admin.Partition) int { return cmp.Compare(a.Partition, b.Partition) })
	return status
}
