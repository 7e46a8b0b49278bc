package demo

import (
	"fmt"
	"strings"
	"time"

	"streamer/internal/admin"
)

const (
	timelineRows = 8
	// span is the time that the chart's width stands for.
	span = 8 * time.Second
)

// phases of a batch as they are drawn.
const (
	filling = '░'
	waiting = '▒'
	writing = '█'
)

// timeline draws the last batches, the newest at the bottom, each as a bar on a common time axis that ends now: filling
// with blocks, waiting for the sink (scheduling delay), being written (processing time).
func (f Frame) timeline(width, rows int) []line {
	var head line
	head.add(dim, fmt.Sprintf("%-8s%9s%8s  %-9s", "batch", "records", "blocks", "cut by"))
	legend := fmt.Sprintf("%c filling  %c waiting  %c writing", filling, waiting, writing)
	chart := width - head.width() - 1
	head.pad(head.width() + 1)
	head.add(dim, legend)
	head.pad(width - len("now"))
	head.add(dim, "now")
	lines := []line{head}
	batches := f.Status.Batches
	for _, b := range batches[max(0, len(batches)-(rows-1)):] {
		var l line
		l.add(plain, fmt.Sprintf("%-8s%9s%8d  %-9s ", fmt.Sprintf("#%d", b.ID), count(int64(b.Records)), b.Blocks, b.Cut))
		for _, p := range phases(b, f.Now, chart) {
			l.add(p.colour, p.text)
		}
		lines = append(lines, l)
	}
	return lines
}

// phases draws one batch as pieces of width columns in all.
func phases(b admin.Batch, now time.Time, width int) []piece {
	ended := b.Closed.Add(duration(b.SchedulingDelay + b.ProcessingTime))
	column := func(at time.Time) int {
		left := now.Add(-span)
		return min(max(int(int64(width)*int64(at.Sub(left))/int64(span)), 0), width)
	}
	began, closed := column(ended.Add(-duration(b.TotalDelay))), column(b.Closed)
	wrote, done := column(b.Closed.Add(duration(b.SchedulingDelay))), column(ended)
	if done == wrote && wrote > 0 && done < width { // writing takes milliseconds; it shall be seen all the same
		done++
	}
	stretch := func(from, to int, mark rune) string { return strings.Repeat(string(mark), max(0, to-from)) }
	return []piece{
		{stretch(0, began, ' '), plain},
		{stretch(began, closed, filling), blue},
		{stretch(closed, wrote, waiting), yellow},
		{stretch(wrote, done, writing), green},
	}
}

func duration(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }
