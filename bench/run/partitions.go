package main

import (
	"context"
	"fmt"
	"strconv"

	"streamer/bench/event"
)

// partitionCounts is what the cost per record should not depend on.
func partitionCounts() []int32 { return []int32{1, 4, 16, 64} }

// partitionRecords is how many records each topic has.
const partitionRecords = 1_500_000

// partitions measures the processor time per record, of filter and map without a sink, by the number of partitions. Each
// binary goes through all topics once a round.
func (h *harness) partitions(ctx context.Context) error {
	count := max(1, int64(partitionRecords*h.scale))
	h.printf("## partitions: JSON filter and map, nothing written, 250 B, %d records\n", count)
	counts := partitionCounts()
	topics := make([]string, len(counts))
	runs := make([][]program, len(counts))
	for i, n := range counts {
		topic, err := h.topic(ctx, fmt.Sprintf("partitions-%d", n), n)
		if err != nil {
			return err
		}
		if err := h.fill(ctx, topic, n, event.Large, count); err != nil {
			return err
		}
		config, err := h.file(topic+".yaml", h.configuration(topic, "", filterMapSteps))
		if err != nil {
			return err
		}
		topics[i], runs[i] = topic, h.streamers(ctx, config)
	}
	for range h.runs {
		for i := range runs {
			if err := rounds(1, runs[i], count); err != nil {
				return err
			}
		}
	}
	h.printf("%s", table(partitionTable(counts, runs)))
	return h.remove(ctx, topics...)
}

// partitionTable has a row for each binary and number of partitions, with the ratio to the first number.
func partitionTable(counts []int32, runs [][]program) [][]string {
	rows := [][]string{{"program", "partitions", "CPU ns per record (min / median / max)", "of 1 partition", "peak memory"}}
	cost := func(s sample) float64 { return float64(s.CPU.Nanoseconds()) / float64(s.records) }
	for b := range runs[0] {
		first := spreadBy(runs[0][b].samples, cost).median
		for i, n := range counts {
			p := runs[i][b]
			if p.refused {
				rows = append(rows, []string{p.name, strconv.Itoa(int(n)), "not supported by this binary", "", ""})
				continue
			}
			each := spreadBy(p.samples, cost)
			peak := spreadBy(p.samples, func(s sample) float64 { return float64(s.Peak) })
			rows = append(rows, []string{
				p.name, strconv.Itoa(int(n)), fmt.Sprintf("%.0f / %.0f / %.0f", each.min, each.median, each.max),
				fmt.Sprintf("%.2f", each.median/first), fmt.Sprintf("%.0f MiB", peak.max/(1<<20)),
			})
		}
	}
	return rows
}
