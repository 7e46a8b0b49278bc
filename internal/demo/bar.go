package demo

import (
	"math"
	"strings"
)

// bar draws value out of full as a bar of width columns, exact to an eighth of a column, padded with spaces. Something
// that is there is never drawn as nothing.
func bar(value, full float64, width int) string {
	const eighths = "▏▎▍▌▋▊▉"
	if width <= 0 {
		return ""
	}
	part := 0.0
	if full > 0 {
		part = min(max(value/full, 0), 1)
	}
	filled := int(math.Round(part * float64(width) * 8))
	if value > 0 {
		filled = max(filled, 1)
	}
	text := strings.Repeat("█", filled/8)
	columns := filled / 8
	if rest := filled % 8; rest > 0 {
		text += string([]rune(eighths)[rest-1])
		columns++
	}
	return text + strings.Repeat(" ", width-columns)
}

// sparkline draws the last width values, oldest first, each as one column between 0 and the highest of them.
func sparkline(values []float64, width int) string {
	levels := []rune("▁▂▃▄▅▆▇█")
	if width <= 0 {
		return ""
	}
	values = values[max(0, len(values)-width):]
	highest := 0.0
	for _, v := range values {
		highest = max(highest, v)
	}
	var out strings.Builder
	out.WriteString(strings.Repeat(" ", width-len(values)))
	for _, v := range values {
		level := 0
		if highest > 0 {
			level = int(math.Round(max(v, 0) / highest * float64(len(levels)-1)))
		}
		out.WriteRune(levels[level])
	}
	return out.String()
}
