package kafka

import (
	"context"
	"fmt"
	"time"
)

// Ends are where a bounded run stops: for each partition of the source's topics the offset that is not read any more,
// listed once at start. Immutable; any goroutine may use it.
type Ends struct {
	admin     *Admin
	isolation string
	of        Partitions
	start     Offsets
	end       Offsets
}

// Progress is how far a bounded run is on one partition. Position is -1 while nothing is known of it.
type Progress struct {
	TopicPartition
	Start    int64 // the log start when the run began
	Position int64 // the group's commit, or what was delivered in a run without a group
	End      int64
	Reached  bool
}

// CaptureEnds lists the ends once, for all partitions of the group's topics, not only those that this member is assigned.
// A time gives the first record that is not older, but never past what the isolation lets one read now.
func (a *Admin) CaptureEnds(ctx context.Context, s SourceConfig, of Partitions, now time.Time) (*Ends, error) {
	until, err := ParseUntil(s.Until)
	if err != nil {
		return nil, fmt.Errorf("%w", asFault(err, sourcePath+".until", s.Until))
	}
	start, err := a.Starts(ctx, of)
	if err != nil {
		return nil, err
	}
	end, err := a.Resolve(ctx, of, until, s.Isolation, now)
	if err != nil {
		return nil, err
	}
	return &Ends{admin: a, isolation: s.Isolation, of: of, start: start, end: end}, nil
}

// End is where a partition stops. ok is false for a partition that the run does not know, because it was added after the
// start: nothing of it may be delivered.
func (e *Ends) End(topic string, partition int32) (end int64, ok bool) {
	return e.end.Get(topic, partition)
}

// Partitions lists what the run reads. The caller must not change it.
func (e *Ends) Partitions() Partitions { return e.of }

// Reached compares the group's commits with the ends. done means that every partition is there; whoever committed it.
func (e *Ends) Reached(ctx context.Context, group string) (done bool, report []Progress, err error) {
	committed, err := e.admin.Committed(ctx, group, e.of)
	if err != nil {
		return false, nil, err
	}
	return e.ReachedAt(ctx, committed)
}

// ReachedAt compares positions with the ends: for a run without a group, what was delivered. It is an error if an end has
// moved back (an unclean leader election, a topic that was created anew): the offsets that are waited for may never come.
func (e *Ends) ReachedAt(ctx context.Context, positions Offsets) (done bool, report []Progress, err error) {
	now, err := e.admin.Ends(ctx, e.of, e.isolation)
	if err != nil {
		return false, nil, err
	}
	for partition, end := range e.end.Sorted() {
		if current := now[partition.Topic][partition.Partition]; current < end {
			return false, nil, fmt.Errorf("reach the end of %s: %w",
				partition, &EndMovedError{Captured: end, Current: current})
		}
	}
	report, done = progress(e.start, e.end, positions)
	return done, report, nil
}

// EndMovedError says that a partition now ends before the offset that a bounded run was to reach.
type EndMovedError struct{ Captured, Current int64 }

func (e *EndMovedError) Error() string {
	return fmt.Sprintf("it was %d at start and is %d now, the log was cut or the topic created anew; start the run again",
		e.Captured, e.Current)
}

// progress is the comparison alone. A partition with nothing between start and end is reached without a commit.
func progress(start, end, positions Offsets) (report []Progress, done bool) {
	done = true
	for partition, last := range end.Sorted() {
		first := start[partition.Topic][partition.Partition]
		position, known := positions.Get(partition.Topic, partition.Partition)
		if !known {
			position = -1
		}
		reached := first >= last || position >= last
		done = done && reached
		report = append(report, Progress{
			TopicPartition: partition, Start: first, Position: position, End: last, Reached: reached,
		})
	}
	return report, done
}
