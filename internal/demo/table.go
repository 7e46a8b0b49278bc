package demo

import (
	"fmt"
	"strconv"

	"streamer/internal/admin"
)

const (
	numberColumns = 10
	longestBar    = 40
	stateColumns  = 14
	// lag above these many seconds of the partition's own rate is shown in yellow and red.
	laggingSeconds = 2
	behindSeconds  = 10
)

// columns are where the table's parts begin, for one width.
type columns struct{ bar, lag, lagBar, state int }

func tableColumns(width int) (starts columns, barWidth int) {
	const name = 10
	barWidth = min((width-name-2*(numberColumns+3)-stateColumns)/2, longestBar)
	starts.bar = name + numberColumns + 1
	starts.lag = starts.bar + barWidth + 1
	starts.lagBar = starts.lag + numberColumns + 1
	starts.state = starts.lagBar + barWidth + 2
	return starts, barWidth
}

// table is one row per partition: rate and lag with bars, and the state.
func (f Frame) table(width int) []line {
	at, barWidth := tableColumns(width)
	var head line
	head.add(dim, "partition")
	head.pad(at.bar - 1 - len("records/s"))
	head.add(dim, "records/s")
	head.pad(at.lagBar - 1 - len("lag"))
	head.add(dim, "lag")
	head.pad(at.state)
	head.add(dim, "state")
	lines := []line{head}

	before := make(map[string]int64, len(f.Previous.Partitions))
	for _, p := range f.Previous.Partitions {
		before[name(p)] = p.Records
	}
	rates := make([]float64, len(f.Status.Partitions))
	fastest, largest := 1.0, 1.0
	for i, p := range f.Status.Partitions {
		rates[i] = perSecond(p.Records-before[name(p)], f.Between)
		fastest, largest = max(fastest, rates[i]), max(largest, float64(p.Lag))
	}
	for i, p := range f.Status.Partitions {
		var l line
		l.add(plain, name(p))
		l.pad(at.bar - 1 - numberColumns)
		l.add(plain, fmt.Sprintf("%*s ", numberColumns, count(int64(rates[i]))))
		l.add(cyan, bar(rates[i], fastest, barWidth))
		l.add(plain, fmt.Sprintf(" %*s ", numberColumns, count(p.Lag)))
		l.add(lagColour(p.Lag, rates[i]), bar(float64(p.Lag), largest, barWidth))
		l.pad(at.state)
		l.add(stateColour(p.State), p.State)
		lines = append(lines, l)
	}
	return lines
}

func name(p admin.Partition) string { return p.Topic + "/" + strconv.Itoa(int(p.Partition)) }

// lagColour judges lag by the time the partition needs to catch up at its present rate.
func lagColour(lag int64, rate float64) colour {
	switch behind := float64(lag) / max(rate, 1); {
	case behind > behindSeconds:
		return red
	case behind > laggingSeconds:
		return yellow
	default:
		return green
	}
}
