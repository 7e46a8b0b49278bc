package demo

import (
	"fmt"
	"time"
)

// Summary is the verdict on a whole run.
type Summary struct {
	Partitions [partitions]PartitionReport
	Elapsed    time.Duration
	Batches    int64
}

// Total adds up all partitions.
func (s Summary) Total() PartitionReport {
	var total PartitionReport
	for _, p := range s.Partitions {
		total.Produced += p.Produced
		total.Expected += p.Expected
		total.Arrived += p.Arrived
		total.Missing += p.Missing
		total.Duplicate += p.Duplicate
		total.Disordered += p.Disordered
		total.Unexpected += p.Unexpected
		total.Altered += p.Altered
	}
	return total
}

// Err returns nil if exactly what must come out came out.
func (s Summary) Err() error {
	total := s.Total()
	if total.Sum() == 0 {
		return nil
	}
	return fmt.Errorf("check output: %d missing, %d duplicate, %d out of order, %d unexpected, %d altered",
		total.Missing, total.Duplicate, total.Disordered, total.Unexpected, total.Altered)
}

// Lines is the summary as it is printed.
func (s Summary) Lines() []string {
	const row = "%-10s %10s %10s %10s %7s %5s %5s %5s %5s" // 75 columns, for the usual terminal
	lines := []string{
		"", "What went in came out?", "",
		fmt.Sprintf(row, "partition", "events in", "views in", "views out", "missing", "twice", "order", "extra", "bytes"),
	}
	add := func(name string, p PartitionReport) {
		lines = append(lines, fmt.Sprintf(row, name, count(p.Produced), count(p.Expected), count(p.Arrived), count(p.Missing),
			count(p.Duplicate), count(p.Disordered), count(p.Unexpected), count(p.Altered)))
	}
	for p, report := range s.Partitions {
		add(fmt.Sprintf("%s/%d", inputTopic, p), report)
	}
	total := s.Total()
	add("all", total)
	lines = append(lines, "")
	switch {
	case s.Err() != nil:
		return append(lines, "NO: "+s.Err().Error())
	case total.Expected == 0:
		return append(lines, "Nothing went in.")
	}
	return append(lines, fmt.Sprintf(
		"Yes: each of %s views came out exactly once, in order, with the right bytes.\n%s events in %s batches, %s/s.",
		count(total.Expected), count(total.Produced), count(s.Batches),
		count(int64(float64(total.Produced)/max(s.Elapsed.Seconds(), 1)))))
}
