package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"streamer/bench/process"
)

// sample is one run of one program.
type sample struct {
	process.Usage

	records int64
}

// perCPU is records per second of processor time.
func (s sample) perCPU() float64 { return float64(s.records) / s.CPU.Seconds() }

// perWall is records per second from the start of the process to its end.
func (s sample) perWall() float64 { return float64(s.records) / s.Wall.Seconds() }

// spread is the smallest, the middle and the largest of some figures.
type spread struct{ min, median, max float64 }

// spreadOf is the zero spread for no values.
func spreadOf(values []float64) spread {
	if len(values) == 0 {
		return spread{}
	}
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return spread{min: sorted[0], median: (sorted[(n-1)/2] + sorted[n/2]) / 2, max: sorted[n-1]}
}

func spreadBy(samples []sample, figure func(sample) float64) spread {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = figure(s)
	}
	return spreadOf(values)
}

// ratios divides a figure round by round: what slows the machine down for a while slows both programs of a round.
func ratios(samples, by []sample, figure func(sample) float64) spread {
	var values []float64
	for i, s := range samples[:min(len(samples), len(by))] {
		values = append(values, figure(s)/figure(by[i]))
	}
	return spreadOf(values)
}

// millions renders a spread of large numbers.
func (s spread) millions() string {
	return fmt.Sprintf("%.2f / %.2f / %.2f M", s.min/1e6, s.median/1e6, s.max/1e6)
}

func (s spread) String() string { return fmt.Sprintf("%.2f / %.2f / %.2f", s.min, s.median, s.max) }

// quantile is the value at q between 0 and 1 of sorted values: the smallest that at least that share does not exceed.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	at := int(math.Ceil(q*float64(len(sorted)))) - 1
	return sorted[min(max(at, 0), len(sorted)-1)]
}

// table renders rows in Markdown; the first is the head.
func table(rows [][]string) string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	var text strings.Builder
	for i, row := range rows {
		for j, cell := range row {
			fmt.Fprintf(&text, "| %-*s ", widths[j], cell)
		}
		text.WriteString("|\n")
		if i == 0 {
			for _, width := range widths {
				text.WriteString("|" + strings.Repeat("-", width+2))
			}
			text.WriteString("|\n")
		}
	}
	return text.String()
}
