package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// StartPlan says where a partition without a commit begins. It rests on one rule, which holds over crashes, moves and
// added partitions: `start` is applied once, to the partitions that a topic has when the group first meets it; whatever
// partition appears later begins at its beginning.
//
// A plan may be used from any goroutine.
type StartPlan struct {
	admin *Admin
	// fresh holds `start`, resolved, for partitions of topics that the group had no commit of while it had members
	// already, so that this process could not commit them ahead.
	fresh Offsets

	position  Position
	committed int // partitions with a commit before this start
	total     int
}

// PrepareStart applies `start` before the client joins. Topics of which the group has no commit at all get it for all
// their partitions, committed at once: kgo would apply it again at every assignment until the first commit, and
// `latest` would then skip what arrived meanwhile. The broker takes such a commit only while the group has no members.
// If it has, someone else runs already; what still has no commit then is remembered for [StartPlan.Resolve].
func (a *Admin) PrepareStart(ctx context.Context, s SourceConfig, of Partitions, now time.Time) (*StartPlan, error) {
	position, err := ParseStart(s.Start)
	if err != nil {
		return nil, fmt.Errorf("%w", asFault(err, sourcePath+".start", s.Start))
	}
	// First the offsets, then the commits: in the other order a member that joins, reads and dies in between would have
	// its progress overwritten by a later `latest`.
	start, err := a.Resolve(ctx, of, position, s.Isolation, now)
	if err != nil {
		return nil, err
	}
	committed, err := a.Committed(ctx, s.Group, of)
	if err != nil {
		return nil, err
	}
	plan := &StartPlan{admin: a, position: position, committed: committed.Len(), total: of.Len()}
	fresh := withoutCommit(start, committed)
	if fresh.Len() == 0 {
		return plan, nil
	}
	err = a.commitAsNobody(ctx, s.Group, fresh)
	if !errors.Is(err, ErrGroupLive) {
		return plan, err
	}
	if committed, err = a.Committed(ctx, s.Group, of); err != nil {
		return nil, err
	}
	plan.committed = committed.Len()
	plan.fresh = withoutCommit(start, committed)
	return plan, nil
}

// withoutCommit keeps the topics that have no commit on any partition.
func withoutCommit(start, committed Offsets) Offsets {
	fresh := Offsets{}
	for topic, partitions := range start {
		if len(committed[topic]) == 0 && len(partitions) > 0 {
			fresh[topic] = partitions
		}
	}
	return fresh
}

// Notice says, for the log and for `validate`, that start has no effect; it is empty when start was applied to all.
func (p *StartPlan) Notice() string { return startNotice(p.position, p.committed, p.total) }

func startNotice(position Position, committed, total int) string {
	if committed == 0 {
		return ""
	}
	return fmt.Sprintf("start ignored: %d of %d partitions have commits (source.kafka.start: %s)",
		committed, total, position)
}

// StartNotice is [StartPlan.Notice] for whoever only looks: it changes nothing.
func (a *Admin) StartNotice(ctx context.Context, s SourceConfig, of Partitions) (string, error) {
	position, err := ParseStart(s.Start)
	if err != nil {
		return "", fmt.Errorf("%w", asFault(err, sourcePath+".start", s.Start))
	}
	committed, err := a.Committed(ctx, s.Group, of)
	return startNotice(position, committed.Len(), of.Len()), err
}

// Resolve gives the first offset of partitions that were assigned without a commit. The caller commits all of them, in
// one request, before the first poll: the second member of a group tells by them that the topic is known.
func (p *StartPlan) Resolve(ctx context.Context, uncommitted map[string][]int32) (Offsets, error) {
	resolved, later := Offsets{}, Partitions{}
	for partition := range Partitions(uncommitted).Sorted() {
		if offset, ok := p.fresh.Get(partition.Topic, partition.Partition); ok {
			resolved.Set(partition.Topic, partition.Partition, offset)
			continue
		}
		later[partition.Topic] = append(later[partition.Topic], partition.Partition)
	}
	starts, err := p.admin.Starts(ctx, later)
	if err != nil {
		return nil, err
	}
	for partition, start := range starts.Sorted() {
		resolved.Set(partition.Topic, partition.Partition, start)
	}
	return resolved, nil
}
