package ledger

import (
	"fmt"
	"maps"
	"slices"
)

// Stored is one record that the broker holds in the input topic.
type Stored struct {
	Offset int64
	ID     ID
}

// Sample is a look at the group while the service runs.
type Sample struct {
	// Committed is the group's offset per input partition; partitions without a commit are missing.
	Committed map[int32]int64
	// Readable is how much of each lane could be read; a lane that was not seen is missing, and accuses nobody. It is taken
	// after Committed: whatever was committed by then must be in it.
	Readable map[string]int
}

// Ledger is all that is known after a run.
type Ledger struct {
	// Produced are the records that had to be delivered, by input partition, in offset order.
	Produced map[int32][]Stored
	// Delivered are the records that were, by lane, in the order of the lane: an output partition, a sequence of files.
	Delivered map[string][]ID
	// Samples are in the order in which they were taken.
	Samples []Sample
	// Damaged are delivered values that could not be read.
	Damaged []error
}

// place is where a record was delivered first: lane is an index into the sorted lane names, -1 for nowhere.
type place struct {
	lane  int32
	index int32
}

// checker holds what the single checks share.
type checker struct {
	*Ledger

	lanes []string
	// first has the place of each produced record by partition and sequence number.
	first  map[int32][]place
	report *Report
}

// Check compares the ledger's sides.
func (l *Ledger) Check() *Report {
	c := &checker{
		Ledger: l, lanes: slices.Sorted(maps.Keys(l.Delivered)),
		first: map[int32][]place{}, report: &Report{Damaged: l.Damaged},
	}
	for partition, records := range l.Produced {
		var highest int64 = -1
		for _, record := range records {
			highest = max(highest, record.ID.Seq)
		}
		c.first[partition] = slices.Repeat([]place{{lane: -1}}, int(highest)+1)
		c.report.Produced += len(records)
	}
	c.findPlaces(c.producedSet())
	c.findLoss()
	c.checkOrder()
	c.checkCommits()
	return c.report
}

// producedSet marks the sequence numbers that exist, for they may have gaps: records of aborted transactions.
func (c *checker) producedSet() map[int32][]bool {
	set := make(map[int32][]bool, len(c.Produced))
	for partition, records := range c.Produced {
		set[partition] = make([]bool, len(c.first[partition]))
		for _, record := range records {
			set[partition][record.ID.Seq] = true
		}
	}
	return set
}

// findPlaces notes where each record was delivered first, counts the repetitions and collects strangers.
func (c *checker) findPlaces(produced map[int32][]bool) {
	for lane, name := range c.lanes {
		for index, id := range c.Delivered[name] {
			c.report.Delivered++
			places := c.first[id.Partition]
			switch {
			case id.Seq < 0 || id.Seq >= int64(len(places)) || !produced[id.Partition][id.Seq]:
				c.report.Strangers = append(c.report.Strangers, id)
			case places[id.Seq].lane >= 0:
				c.report.Duplicates++
			default:
				places[id.Seq] = place{lane: int32(lane), index: int32(index)}
			}
		}
	}
}

func (c *checker) findLoss() {
	for _, partition := range slices.Sorted(maps.Keys(c.Produced)) {
		for _, record := range c.Produced[partition] {
			if c.first[partition][record.ID.Seq].lane < 0 {
				c.report.Lost = append(c.report.Lost, record.ID)
			}
		}
	}
}

// checkOrder looks, partition by partition, whether first deliveries within a lane come in the order of the input.
// Repetitions after a crash are not disorder.
func (c *checker) checkOrder() {
	for _, partition := range slices.Sorted(maps.Keys(c.Produced)) {
		last := make(map[int32]Stored)
		for _, record := range c.Produced[partition] {
			at := c.first[partition][record.ID.Seq]
			if at.lane < 0 {
				continue
			}
			before, seen := last[at.lane]
			if seen && c.first[partition][before.ID.Seq].index > at.index {
				c.report.Disorder = append(c.report.Disorder,
					fmt.Sprintf("%s: %v came after %v", c.lanes[at.lane], before.ID, record.ID))
				continue
			}
			last[at.lane] = record
		}
	}
}

// checkCommits looks at every sample whether all records below a commit could be read by then, and whether no commit
// went back.
func (c *checker) checkCommits() {
	next := make(map[int32]int)      // per partition, the first record that no sample has covered yet
	highest := make(map[int32]int64) // per partition, the commit of the samples so far
	for number, sample := range c.Samples {
		for _, partition := range slices.Sorted(maps.Keys(sample.Committed)) {
			commit := sample.Committed[partition]
			if before, seen := highest[partition]; seen && commit < before {
				c.report.CommitsBack = append(c.report.CommitsBack,
					fmt.Sprintf("partition %d: from %d to %d at sample %d", partition, before, commit, number))
			}
			highest[partition] = max(highest[partition], commit)
			next[partition] = c.checkCommit(number, partition, commit, next[partition])
		}
		for partition := range highest {
			if _, still := sample.Committed[partition]; !still {
				c.report.CommitsBack = append(c.report.CommitsBack,
					fmt.Sprintf("partition %d: from %d to none at sample %d", partition, highest[partition], number))
			}
		}
	}
}

// checkCommit checks the records from index from that the commit covers, and returns the first that it does not.
func (c *checker) checkCommit(number int, partition int32, commit int64, from int) int {
	records := c.Produced[partition]
	readable := c.Samples[number].Readable
	for from < len(records) && records[from].Offset < commit {
		record := records[from]
		at := c.first[partition][record.ID.Seq]
		ahead := at.lane < 0
		if !ahead {
			until, seen := readable[c.lanes[at.lane]]
			if !seen {
				return from // for a later sample to look at
			}
			ahead = int(at.index) >= until
		}
		if ahead {
			c.report.CommitsAhead = append(c.report.CommitsAhead, fmt.Sprintf(
				"partition %d: sample %d has %d committed, but %v at offset %d was not delivered yet",
				partition, number, commit, record.ID, record.Offset))
		}
		from++
	}
	return from
}
