package demo

import (
	"fmt"
	"math"
	"time"

	"streamer/internal/admin"
)

// Frame is all that one picture shows. Render is a pure function of it.
type Frame struct {
	Now      time.Time
	Elapsed  time.Duration
	Limit    time.Duration // 0: until Ctrl-C
	Stopping bool          // the generator has ended, the rest drains
	Admin    string        // the address of the admin server

	Status admin.Status
	// Previous is an earlier look, Between before Status; rates are the difference. Between 0 means there is none yet.
	Previous admin.Status
	Between  time.Duration
	// In and Out are past rates in records per second, oldest first.
	In, Out []float64
	Busy    float64 // mean number of busy workers

	Verified int64 // views that the independent reader has checked
	Faults   int64
	Note     string // what the load is doing
	Warning  string // the service's last warning
}

// Screen is where a frame goes.
type Screen struct {
	Width, Height int // columns and lines
	Colours       bool
}

// widest keeps the picture together on very wide terminals; narrowest is where the numbers still fit.
const (
	widest    = 140
	narrowest = 60
)

// Render draws the frame, one string per line, none wider than the screen and no more lines than it has.
func (f Frame) Render(screen Screen) []string {
	width := min(screen.Width, widest)
	layout := max(width, narrowest) // narrower screens see the left part
	lines := []line{f.header(layout), f.flow(layout), {}}
	lines = append(lines, f.table(layout)...)
	lines = append(lines, line{}, f.machine(), f.meanBatch())
	below := f.messages()
	if room := screen.Height - len(lines) - len(below) - 2; room > 1 {
		lines = append(lines, line{})
		lines = append(lines, f.timeline(layout, min(room, timelineRows+1))...)
	}
	lines = append(lines, below...)
	drawn := make([]string, 0, len(lines))
	for _, l := range lines[:min(len(lines), max(1, screen.Height-1))] {
		drawn = append(drawn, l.render(width, screen.Colours))
	}
	return drawn
}

func (f Frame) header(width int) line {
	var l line
	l.add(bold, "streamer demo")
	l.add(plain, "  "+clock(f.Elapsed))
	if f.Limit > 0 {
		l.add(dim, " of "+clock(f.Limit))
	}
	l.add(plain, "  ")
	if f.Stopping {
		l.add(yellow, "delivering the rest")
	} else {
		l.add(stateColour(f.Status.State), f.Status.State)
	}
	end := "Ctrl-C ends it  http://" + f.Admin
	l.pad(width - len(end))
	l.add(dim, end)
	return l
}

// flow is the picture of the path, with the rates at both ends.
func (f Frame) flow(width int) line {
	in, out := f.rate(func(t admin.Totals) int64 { return t.Received }), f.rate(func(t admin.Totals) int64 { return t.Delivered })
	head := fmt.Sprintf("%s %s/s ", inputTopic, count(int64(in)))
	middle := fmt.Sprintf(" ─► %d streams ─► %d workers ─► union ─► batches ─► ", len(f.Status.Partitions), f.Status.Workers.Total)
	tail := fmt.Sprintf("%s %s/s ", outputTopic, count(int64(out)))
	spark := min(max((width-len([]rune(head+middle+tail)))/2, 0), 24)
	var l line
	l.add(bold, head)
	l.add(cyan, sparkline(f.In, spark))
	l.add(dim, middle)
	l.add(bold, tail)
	l.add(green, sparkline(f.Out, spark))
	return l
}

// rate is the growth of a total in records per second.
func (f Frame) rate(total func(admin.Totals) int64) float64 {
	return perSecond(total(f.Status.Totals)-total(f.Previous.Totals), f.Between)
}

// perSecond is a whole number: the shown digits must not flicker between 999 and 1,000.
func perSecond(n int64, between time.Duration) float64 {
	if between <= 0 || n < 0 {
		return 0
	}
	return math.Round(float64(n) / between.Seconds())
}

func (f Frame) machine() line {
	const gauge = 7
	workers, memory := f.Status.Workers, f.Status.Memory
	var l line
	l.add(plain, "workers ")
	l.add(green, bar(f.Busy, float64(workers.Total), gauge))
	l.add(plain, fmt.Sprintf(" %.1f of %d busy, %d queued", f.Busy, workers.Total, workers.Queued))
	l.add(plain, "   memory ")
	l.add(blue, bar(float64(memory.UsedBytes), float64(memory.BudgetBytes), gauge))
	l.add(plain, fmt.Sprintf(" %s of %s", size(memory.UsedBytes), size(memory.BudgetBytes)))
	return l
}

// meanOf is how many batches an average is over: few enough to follow the load, enough to be read.
const meanOf = 10

// meanBatch speaks in Spark's words.
func (f Frame) meanBatch() line {
	var l line
	l.add(plain, "batch   ")
	batches := f.Status.Batches
	batches = batches[max(0, len(batches)-meanOf):]
	if len(batches) == 0 {
		l.add(dim, "none delivered yet")
		return l
	}
	var sum admin.Batch
	for _, b := range batches {
		sum.Blocks += b.Blocks
		sum.SchedulingDelay += b.SchedulingDelay
		sum.ProcessingTime += b.ProcessingTime
		sum.TotalDelay += b.TotalDelay
	}
	n := float64(len(batches))
	l.add(bold, fmt.Sprintf("%d blocks", sum.Blocks/len(batches)))
	l.add(plain, fmt.Sprintf("; scheduling delay %s, processing time %s, total %s",
		seconds(sum.SchedulingDelay/n), seconds(sum.ProcessingTime/n), seconds(sum.TotalDelay/n)))
	l.add(dim, fmt.Sprintf("  (mean of %d)", len(batches)))
	return l
}

// messages are the check and what there is to say about load and service.
func (f Frame) messages() []line {
	var check line
	check.add(plain, "check   ")
	verdict, tone := "each once, in order, unaltered", green
	if f.Faults > 0 {
		verdict, tone = count(f.Faults)+" faults", red
	}
	check.add(plain, count(f.Verified)+" views read back: ")
	check.add(tone, verdict)
	lines := []line{{}, check}
	if f.Note != "" {
		lines = append(lines, line{{"load    " + f.Note, yellow}})
	}
	if f.Warning != "" {
		lines = append(lines, line{{"warning " + f.Warning, red}})
	}
	return lines
}

func stateColour(state string) colour {
	switch state {
	case admin.StateIdle, admin.StateFinished:
		return dim
	case admin.StateFetching, admin.StateProcessing:
		return green
	case admin.StateRetrying, admin.StateBrokerLost:
		return red
	default:
		return yellow
	}
}
