package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// GroupOffsets is what `streamer offsets list` shows: a group, and where it stands in each partition.
type GroupOffsets struct {
	Group      Group             `json:"group"`
	Partitions []PartitionOffset `json:"partitions"`
}

// PartitionOffset is where a group stands in one partition. What is not known is -1: a commit that does not exist, the
// bounds of a topic that was deleted, and the lag without one of them.
type PartitionOffset struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Committed int64  `json:"committed"`
	Start     int64  `json:"start"`
	End       int64  `json:"end"`
	// Lag counts the offsets from the commit, or without one from the log start, to the last stable offset. Where
	// compaction or transactions left gaps there are fewer records than that.
	Lag int64 `json:"lag"`
}

// GroupOffsets lists where the group stands in the targets, each TOPIC or TOPIC/PARTITION; without any in all topics that it
// has commits of.
func (a *Admin) GroupOffsets(ctx context.Context, name string, targets ...string) (GroupOffsets, error) {
	group, err := a.Group(ctx, name)
	if err != nil {
		return GroupOffsets{}, err
	}
	var (
		of   Partitions
		gone Offsets
	)
	if len(targets) > 0 {
		of, err = a.targets(ctx, targets)
	} else {
		of, gone, err = a.committedPartitions(ctx, name)
	}
	if err != nil {
		return GroupOffsets{}, err
	}
	committed, err := a.Committed(ctx, name, of)
	if err != nil {
		return GroupOffsets{}, err
	}
	starts, ends, err := a.bounds(ctx, of)
	if err != nil {
		return GroupOffsets{}, err
	}
	result := GroupOffsets{Group: group, Partitions: make([]PartitionOffset, 0, of.Len()+gone.Len())}
	for at := range of.Sorted() {
		row := PartitionOffset{
			Topic: at.Topic, Partition: at.Partition, Committed: -1,
			Start: starts[at.Topic][at.Partition], End: ends[at.Topic][at.Partition],
		}
		if commit, ok := committed.Get(at.Topic, at.Partition); ok {
			row.Committed = commit
		}
		row.Lag = max(0, row.End-max(row.Start, row.Committed))
		result.Partitions = append(result.Partitions, row)
	}
	for at, commit := range gone.Sorted() {
		result.Partitions = append(result.Partitions, PartitionOffset{
			Topic: at.Topic, Partition: at.Partition, Committed: commit, Start: -1, End: -1, Lag: -1,
		})
	}
	return result, nil
}

// bounds lists log starts and last stable offsets.
func (a *Admin) bounds(ctx context.Context, of Partitions) (starts, ends Offsets, err error) {
	if starts, err = a.Starts(ctx, of); err != nil {
		return nil, nil, err
	}
	ends, err = a.Ends(ctx, of, ReadCommitted)
	return starts, ends, err
}

// committedPartitions lists all partitions of the topics that the group has commits of, and apart from them the commits
// of topics that were deleted.
func (a *Admin) committedPartitions(ctx context.Context, group string) (of Partitions, gone Offsets, err error) {
	of, gone = Partitions{}, Offsets{}
	commits, err := a.fetchCommits(ctx, group)
	if errors.Is(err, kerr.GroupIDNotFound) || err == nil && len(commits) == 0 {
		return of, gone, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("fetch commits of group %s: %w", group, err)
	}
	details, err := a.freshTopics(ctx, slices.Sorted(maps.Keys(commits))...)
	if err != nil {
		return nil, nil, err
	}
	commits.Each(func(commit kadm.OffsetResponse) {
		if detail, ok := details[commit.Topic]; ok && detail.Err == nil {
			of[commit.Topic] = detail.Partitions.Numbers()
		} else {
			gone.Set(commit.Topic, commit.Partition, commit.At)
		}
	})
	return of, gone, nil
}
