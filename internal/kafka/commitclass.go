package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// CommitClass says what may follow a commit. The values are ordered: of several, the largest rules.
type CommitClass uint8

// The classes.
const (
	// CommitDone means that every partition is committed.
	CommitDone CommitClass = iota
	// CommitTransient means that the same spans, or newer ones, may be sent again: the coordinator moves or is away.
	CommitTransient
	// CommitOwnership means that the assignment has changed or is about to. The commit must never be sent again as it is;
	// after the rebalance callback those of its spans may be sent whose owner still lives.
	CommitOwnership
	// CommitFatal means that no commit will succeed until someone changes something.
	CommitFatal
)

func (c CommitClass) String() string {
	return [...]string{"done", "transient", "ownership", "fatal"}[c]
}

// ClassifyCommit classes the error of a commit call, of one partition in its answer, or of a group session
// ([kgo.ErrGroupSession]).
func ClassifyCommit(err error) CommitClass {
	if err == nil {
		return CommitDone
	}
	if errors.Is(err, kgo.ErrClientClosed) {
		return CommitFatal
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return CommitTransient
	}
	code, ok := errors.AsType[*kerr.Error](err)
	if !ok {
		return CommitTransient // the network
	}
	switch code.Code {
	case kerr.RebalanceInProgress.Code, kerr.IllegalGeneration.Code, kerr.UnknownMemberID.Code,
		kerr.StaleMemberEpoch.Code, kerr.FencedMemberEpoch.Code, kerr.MemberIDRequired.Code, kerr.GroupIDNotFound.Code:
		return CommitOwnership
	case kerr.GroupMaxSizeReached.Code, kerr.UnstableOffsetCommit.Code:
		return CommitTransient
	}
	if code.Retriable {
		return CommitTransient
	}
	return CommitFatal
}

// CommitError is a commit that no trying again can mend, with what to do about it if that is known. partitions says which
// were to be committed.
func CommitError(partitions string, err error) error {
	if known := remedy(err); known != "" {
		return fmt.Errorf("commit offsets of %s: %w; %s", partitions, err, known)
	}
	return fmt.Errorf("commit offsets of %s: %w", partitions, err)
}

// CommitResult classes a whole commit: the call's error, or the worst of the partitions' codes, with an error that names
// the partition. A call without error may still have failed for every partition.
func CommitResult(request *kmsg.OffsetCommitRequest, response *kmsg.OffsetCommitResponse, err error) (CommitClass, error) {
	if err != nil {
		return ClassifyCommit(err), fmt.Errorf("commit offsets: %w", err)
	}
	worst, first := CommitDone, error(nil)
	name := CommittedTopics(request, response)
	for i, topic := range response.Topics {
		for _, partition := range topic.Partitions {
			code := kerr.ErrorForCode(partition.ErrorCode)
			if class := ClassifyCommit(code); class > worst {
				worst, first = class, fmt.Errorf("commit offset of %s/%d: %w", name(i), partition.Partition, code)
			}
		}
	}
	return worst, first
}

// CommittedTopics returns the name of the answer's i-th topic. From version 10 on an answer has only the ids of topics.
func CommittedTopics(request *kmsg.OffsetCommitRequest, response *kmsg.OffsetCommitResponse) func(i int) string {
	names := make(map[[16]byte]string, len(request.Topics))
	for _, topic := range request.Topics {
		names[topic.TopicID] = topic.Topic
	}
	return func(i int) string {
		topic := &response.Topics[i]
		return cmp.Or(topic.Topic, names[topic.TopicID])
	}
}
