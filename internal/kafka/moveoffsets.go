package kafka

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"streamer/internal/setting"
)

// Move is what a change of a group's offsets does, or would do.
type Move struct {
	Group    string          `json:"group"`
	Executed bool            `json:"executed"`
	Moves    []PartitionMove `json:"moves"`
}

// PartitionMove is the move of one partition's commit. From is -1 without a commit. Notes say what a reader would not see
// in the two numbers.
type PartitionMove struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	From      int64  `json:"from"`
	To        int64  `json:"to"`
	Note      string `json:"note,omitempty"`
}

// LiveGroupError refuses to move the offsets of a group that has members: they would go on from where they are, and
// commit over it.
type LiveGroupError struct{ Group Group }

func (e *LiveGroupError) Error() string {
	hosts := make([]string, 0, len(e.Group.Members))
	for _, member := range e.Group.Members {
		hosts = append(hosts, member.ClientID+" on "+strings.TrimPrefix(member.Host, "/"))
	}
	slices.Sort(hosts)
	return fmt.Sprintf("group %s has %d member(s): %s; stop them first (a killed one stays until its session times out)",
		e.Group.Name, len(hosts), strings.Join(hosts, ", "))
}

// Unwrap lets errors.Is find [ErrGroupLive].
func (e *LiveGroupError) Unwrap() error { return ErrGroupLive }

// SetOffsets moves the group's commits of the targets, each TOPIC or TOPIC/PARTITION, to a position. Nothing is written
// unless execute is set. A live group is a [LiveGroupError] either way.
func (a *Admin) SetOffsets(
	ctx context.Context, group string, targets []string, to Position, execute bool, now time.Time,
) (Move, error) {
	of, err := a.targets(ctx, targets)
	if err != nil {
		return Move{}, err
	}
	if err := a.refuseLive(ctx, group); err != nil {
		return Move{}, err
	}
	at, err := a.Resolve(ctx, of, to, ReadCommitted, now)
	if err != nil {
		return Move{}, err
	}
	committed, err := a.Committed(ctx, group, of)
	if err != nil {
		return Move{}, err
	}
	move := Move{Group: group, Moves: []PartitionMove{}}
	for partition, offset := range at.Sorted() {
		row := PartitionMove{Topic: partition.Topic, Partition: partition.Partition, From: -1, To: offset}
		if from, ok := committed.Get(partition.Topic, partition.Partition); ok {
			row.From = from
		}
		if to.kind == positionOffset && offset != to.offset {
			row.Note = fmt.Sprintf("%d is outside of the log; nearest offset taken", to.offset)
		}
		move.Moves = append(move.Moves, row)
	}
	return a.execute(ctx, move, execute)
}

// SkipRecord commits the offset behind one record, written TOPIC/PARTITION@OFFSET, so that a group that stopped at it goes
// on after it. Nothing is written unless execute is set. It is refused if the group is live, has no commit there, or is
// past the record already.
func (a *Admin) SkipRecord(ctx context.Context, group, record string, execute bool) (Move, error) {
	at, offset, err := parseRecord(record)
	if err != nil {
		return Move{}, err
	}
	of, err := a.targets(ctx, []string{at.String()})
	if err != nil {
		return Move{}, err
	}
	if err := a.refuseLive(ctx, group); err != nil {
		return Move{}, err
	}
	committed, err := a.Committed(ctx, group, of)
	if err != nil {
		return Move{}, err
	}
	ends, err := a.Ends(ctx, of, ReadCommitted)
	if err != nil {
		return Move{}, err
	}
	from, ok := committed.Get(at.Topic, at.Partition)
	if err := refuseSkip(record, from, ok, offset, ends[at.Topic][at.Partition]); err != nil {
		return Move{}, err
	}
	row := PartitionMove{Topic: at.Topic, Partition: at.Partition, From: from, To: offset + 1}
	row.Note = fmt.Sprintf("skips offset %d", offset)
	return a.execute(ctx, Move{Group: group, Moves: []PartitionMove{row}}, execute)
}

func refuseSkip(record string, commit int64, known bool, offset, end int64) error {
	fault := setting.Fault{Field: "record", Value: record}
	switch {
	case !known:
		fault.Remedy = "is in a partition of which the group has no commit; use `streamer offsets set` first"
	case commit > offset:
		fault.Remedy = fmt.Sprintf("is passed already, the group's commit is %d; nothing to skip", commit)
	case offset >= end:
		fault.Remedy = fmt.Sprintf("is not in the log, which ends at %d; correct the offset", end)
	case commit < offset:
		fault.Remedy = fmt.Sprintf("is behind the group's commit, %d: skipping it would pass over %d offsets that were never "+
			"delivered; run the service until it stops at the record, or use `streamer offsets set`", commit, offset-commit)
	default:
		return nil
	}
	return fault
}

func (a *Admin) execute(ctx context.Context, move Move, execute bool) (Move, error) {
	if !execute {
		return move, nil
	}
	offsets := Offsets{}
	for _, row := range move.Moves {
		offsets.Set(row.Topic, row.Partition, row.To)
	}
	if err := a.commitAsNobody(ctx, move.Group, offsets); err != nil {
		return Move{}, err
	}
	move.Executed = true
	return move, nil
}

func (a *Admin) refuseLive(ctx context.Context, name string) error {
	group, err := a.Group(ctx, name)
	if err != nil {
		return err
	}
	if group.Live() {
		return &LiveGroupError{Group: group}
	}
	return nil
}

const targetRemedy = "is not TOPIC or TOPIC/PARTITION; write for example events or events/3"

// targets lists the partitions of TOPIC and TOPIC/PARTITION; no target at all is an error, since it would mean nothing
// to one and everything to another.
func (a *Admin) targets(ctx context.Context, targets []string) (Partitions, error) {
	if len(targets) == 0 {
		return nil, setting.Fault{Field: "target", Remedy: "is missing; write TOPIC or TOPIC/PARTITION"}
	}
	topics := make([]string, 0, len(targets))
	for _, target := range targets {
		topic, _, _ := strings.Cut(target, "/")
		if !validTopic(topic) {
			return nil, setting.Fault{Field: "target", Value: target, Remedy: targetRemedy}
		}
		if !slices.Contains(topics, topic) {
			topics = append(topics, topic)
		}
	}
	existing, err := a.Partitions(ctx, topics...)
	if err != nil {
		return nil, err
	}
	of := Partitions{}
	for _, target := range targets {
		topic, number, one := strings.Cut(target, "/")
		if !one {
			of[topic] = existing[topic]
			continue
		}
		partition, err := strconv.ParseInt(number, 10, 32)
		if err != nil || !slices.Contains(existing[topic], int32(partition)) {
			return nil, setting.Fault{Field: "target", Value: target, Remedy: fmt.Sprintf(
				"is no partition; topic %s has partitions 0 to %d", topic, len(existing[topic])-1)}
		}
		if !slices.Contains(of[topic], int32(partition)) {
			of[topic] = append(of[topic], int32(partition))
		}
	}
	return of, nil
}

// parseRecord reads TOPIC/PARTITION@OFFSET; a topic's name has neither of the signs.
func parseRecord(text string) (at TopicPartition, offset int64, err error) {
	fault := setting.Fault{Field: "record", Value: text, Remedy: "is not TOPIC/PARTITION@OFFSET; write for example events/3@1200"}
	place, number, ok := strings.Cut(text, "@")
	topic, partition, ok2 := strings.Cut(place, "/")
	if !ok || !ok2 || topic == "" {
		return at, 0, fault
	}
	parsed, err := strconv.ParseInt(partition, 10, 32)
	if err != nil || parsed < 0 {
		return at, 0, fault
	}
	if offset, err = strconv.ParseInt(number, 10, 64); err != nil || offset < 0 {
		return at, 0, fault
	}
	return TopicPartition{topic, int32(parsed)}, offset, nil
}
