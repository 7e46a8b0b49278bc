package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

var errNoAnswer = errors.New("no answer for the partition")

// Group is the state of a consumer group as its coordinator tells it.
type Group struct {
	Name string `json:"name"`
	// State is Kafka's word: Empty, Dead (the group does not exist), PreparingRebalance, Stable and so on.
	State string `json:"state"`
	// Protocol is classic or consumer; empty if the group does not exist or has never had a member.
	Protocol string   `json:"protocol"`
	Members  []Member `json:"members"` // empty, never nil: scripts get [] and not null
}

// Exists reports whether the coordinator knows the group.
func (g Group) Exists() bool { return g.State != stateDead }

// stateDead is the coordinator's word for a group that it does not know: never used, or forgotten since.
const stateDead = "Dead"

// Live reports whether the group has members. Then nobody but them may commit.
func (g Group) Live() bool { return len(g.Members) > 0 }

// Member is one member of a group.
type Member struct {
	ID         string `json:"id"`
	InstanceID string `json:"instance_id,omitempty"`
	ClientID   string `json:"client_id"`
	Host       string `json:"host"`
	Protocol   string `json:"protocol"`
}

// Group describes a group of either protocol.
func (a *Admin) Group(ctx context.Context, name string) (Group, error) {
	described, err := a.admin.DescribeConsumerGroups(ctx, name)
	if err == nil {
		group := described[name]
		if group.Err == nil && group.Group == name {
			return consumerGroup(group), nil
		}
		err = group.Err
	}
	if errors.Is(err, kerr.GroupAuthorizationFailed) {
		return Group{}, fmt.Errorf("describe group %s: %w", name, err)
	}
	// A classic group is GROUP_ID_NOT_FOUND to this request, and a broker of before Kafka 4 does not know the request.
	return a.classicGroup(ctx, name)
}

func consumerGroup(group kadm.DescribedConsumerGroup) Group {
	result := Group{Name: group.Group, State: group.State, Protocol: ProtocolConsumer, Members: []Member{}}
	for _, member := range group.Members {
		protocol := ProtocolConsumer
		if member.MemberType == 0 { // a classic member of a group that is being upgraded
			protocol = ProtocolClassic
		}
		result.Members = append(result.Members, Member{
			ID: member.MemberID, InstanceID: deref(member.InstanceID), ClientID: member.ClientID,
			Host: member.ClientHost, Protocol: protocol,
		})
	}
	return result
}

func (a *Admin) classicGroup(ctx context.Context, name string) (Group, error) {
	group, err := retry(ctx, func() (kadm.DescribedGroup, error) {
		described, err := a.admin.DescribeGroups(ctx, name)
		if err != nil {
			return kadm.DescribedGroup{}, fmt.Errorf("ask coordinator: %w", err)
		}
		return described.On(name, func(group *kadm.DescribedGroup) error { return group.Err })
	})
	if errors.Is(err, kerr.GroupIDNotFound) {
		return Group{Name: name, State: stateDead, Members: []Member{}}, nil
	}
	if err != nil {
		return Group{}, fmt.Errorf("describe group %s: %w", name, err)
	}
	result := Group{Name: name, State: group.State, Members: []Member{}}
	for _, member := range group.Members {
		result.Protocol = ProtocolClassic
		result.Members = append(result.Members, Member{
			ID: member.MemberID, InstanceID: deref(member.InstanceID), ClientID: member.ClientID,
			Host: member.ClientHost, Protocol: ProtocolClassic,
		})
	}
	return result, nil
}

func deref(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// Committed fetches the group's commits of the partitions. A partition without one is not in the answer. Commits of a
// transaction that is still open count as none yet, so the answer waits for it to end.
func (a *Admin) Committed(ctx context.Context, group string, of Partitions) (Offsets, error) {
	all, err := a.fetchCommits(kadm.RequireStable(ctx), group)
	if errors.Is(err, kerr.GroupIDNotFound) {
		return Offsets{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("fetch commits of group %s: %w", group, err)
	}
	committed := Offsets{}
	for partition := range of.Sorted() {
		answer, ok := all.Lookup(partition.Topic, partition.Partition)
		switch {
		case !ok || answer.Err == nil && answer.At < 0:
		case answer.Err != nil:
			return nil, fmt.Errorf("fetch commit of %s in group %s: %w", partition, group, answer.Err)
		default:
			committed.Set(partition.Topic, partition.Partition, answer.At)
		}
	}
	return committed, nil
}

func (a *Admin) fetchCommits(ctx context.Context, group string) (kadm.OffsetResponses, error) {
	return retry(ctx, func() (kadm.OffsetResponses, error) { return a.admin.FetchOffsets(ctx, group) })
}

// ErrGroupLive means that a group has members, so that nobody else may commit in its name.
var ErrGroupLive = errors.New("the group has members")

// commitAsNobody commits without being a member, which a broker accepts only while the group is empty; else the error
// wraps [ErrGroupLive].
func (a *Admin) commitAsNobody(ctx context.Context, group string, offsets Offsets) error {
	commits := make(kadm.Offsets)
	for partition, offset := range offsets.Sorted() {
		commits.AddOffset(partition.Topic, partition.Partition, offset, -1)
	}
	_, err := retry(ctx, func() (struct{}, error) { return struct{}{}, a.admin.CommitAllOffsets(ctx, group, commits) })
	if ClassifyCommit(err) == CommitOwnership {
		return fmt.Errorf("commit to group %s: %w (%w)", group, ErrGroupLive, err)
	}
	if err != nil {
		return fmt.Errorf("commit to group %s: %w", group, err)
	}
	return nil
}
