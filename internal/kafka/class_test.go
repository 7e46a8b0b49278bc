package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"streamer/internal/kafka"
)

func TestClassifyCommit(t *testing.T) {
	t.Parallel()
	classes := map[kafka.CommitClass][]error{
		kafka.CommitDone: {nil},
		kafka.CommitTransient: {
			kerr.CoordinatorNotAvailable, kerr.CoordinatorLoadInProgress, kerr.NotCoordinator, kerr.RequestTimedOut,
			kerr.UnknownTopicOrPartition, kerr.UnstableOffsetCommit, kerr.GroupMaxSizeReached,
			context.DeadlineExceeded, context.Canceled, io.EOF, &net.OpError{Op: "dial", Err: errors.New("refused")},
		},
		kafka.CommitOwnership: {
			kerr.RebalanceInProgress, kerr.IllegalGeneration, kerr.UnknownMemberID, kerr.StaleMemberEpoch,
			kerr.FencedMemberEpoch, kerr.GroupIDNotFound,
		},
		kafka.CommitFatal: {
			kerr.GroupAuthorizationFailed, kerr.TopicAuthorizationFailed, kerr.ClusterAuthorizationFailed,
			kerr.SaslAuthenticationFailed, kerr.FencedInstanceID, kerr.InvalidGroupID, kerr.OffsetMetadataTooLarge,
			kgo.ErrClientClosed,
		},
	}
	for want, errs := range classes {
		for _, err := range errs {
			wrapped := fmt.Errorf("call: %w", err)
			if err == nil {
				wrapped = nil
			}
			if got := kafka.ClassifyCommit(wrapped); got != want {
				t.Errorf("%v is %s, want %s", err, got, want)
			}
			if err == nil || errors.Is(err, kgo.ErrClientClosed) {
				continue
			}
			if got := kafka.ClassifyCommit(&kgo.ErrGroupSession{Err: err}); got != want {
				t.Errorf("%v in a session is %s, want %s", err, got, want)
			}
		}
	}
}

// A call that succeeds may have failed for a partition; the worst of all rules.
func TestCommitResultLooksAtEachPartition(t *testing.T) {
	t.Parallel()
	cluster, config := newCluster(t, kfake.SeedTopics(3, "events"))
	client := join(t, config, source("group", "events"), kgo.AdjustFetchOffsetsFn(fromZero))
	fail := map[int32]*kerr.Error{1: kerr.CoordinatorLoadInProgress, 2: kerr.RebalanceInProgress}
	for partition, code := range fail {
		cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Topic: "events", Partitions: []int32{partition}, Err: code, Count: -1})
	}
	commit := func(partitions ...int32) (kafka.CommitClass, error) {
		offsets := map[string]map[int32]kgo.EpochOffset{"events": {}}
		for _, partition := range partitions {
			offsets["events"][partition] = kgo.EpochOffset{Epoch: -1, Offset: 0}
		}
		class, err := kafka.CommitDone, error(nil)
		client.CommitOffsetsSync(testContext(t), offsets,
			func(_ *kgo.Client, request *kmsg.OffsetCommitRequest, response *kmsg.OffsetCommitResponse, callErr error) {
				class, err = kafka.CommitResult(request, response, callErr)
			})
		return class, err
	}
	if class, err := commit(0); class != kafka.CommitDone || err != nil {
		t.Errorf("partition 0: %s, %v", class, err)
	}
	if class, err := commit(0, 1); class != kafka.CommitTransient || !strings.Contains(err.Error(), "events/1") {
		t.Errorf("partitions 0, 1: %s, %v", class, err)
	}
	if class, err := commit(0, 1, 2); class != kafka.CommitOwnership || !strings.Contains(err.Error(), "events/2") {
		t.Errorf("partitions 0, 1, 2: %s, %v", class, err)
	}
}

// An answer of version 10 has no names.
func TestCommitResultNamesTopicsByTheirIDs(t *testing.T) {
	t.Parallel()
	id := [16]byte{1}
	request := &kmsg.OffsetCommitRequest{Topics: []kmsg.OffsetCommitRequestTopic{{Topic: "events", TopicID: id}}}
	response := &kmsg.OffsetCommitResponse{Topics: []kmsg.OffsetCommitResponseTopic{{
		TopicID:    id,
		Partitions: []kmsg.OffsetCommitResponseTopicPartition{{Partition: 1, ErrorCode: kerr.NotCoordinator.Code}},
	}}}
	if _, err := kafka.CommitResult(request, response, nil); err == nil || !strings.Contains(err.Error(), "events/1") {
		t.Errorf("%v", err)
	}
}

func TestCommitResultOfACall(t *testing.T) {
	t.Parallel()
	class, err := kafka.CommitResult(nil, nil, kerr.NotCoordinator)
	if class != kafka.CommitTransient || !errors.Is(err, kerr.NotCoordinator) {
		t.Errorf("%s, %v", class, err)
	}
}

// fromZero gives every partition the offset 0, so that a test need not care for starts.
func fromZero(_ context.Context, assigned map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	for _, partitions := range assigned {
		for partition := range partitions {
			partitions[partition] = kgo.NewOffset().At(0)
		}
	}
	return assigned, nil
}

func TestClassifyPoll(t *testing.T) {
	t.Parallel()
	classes := map[kafka.PollClass][]error{
		kafka.PollRetry: {
			kerr.NotLeaderForPartition, kerr.LeaderNotAvailable, kerr.UnknownTopicOrPartition, io.EOF,
			&net.OpError{Op: "dial", Err: errors.New("refused")}, &net.DNSError{Name: "broker"},
			&kgo.ErrGroupSession{Err: kerr.CoordinatorNotAvailable}, &kgo.ErrGroupSession{Err: io.EOF},
			&kgo.ErrGroupSession{Err: context.DeadlineExceeded}, kafka.ErrNoLeader, kafka.ErrNoAnswer,
		},
		kafka.PollSession: {
			&kgo.ErrGroupSession{Err: kerr.UnknownMemberID}, &kgo.ErrGroupSession{Err: kerr.IllegalGeneration},
		},
		kafka.PollInstanceHeld: {&kgo.ErrGroupSession{Err: kerr.UnreleasedInstanceID}},
		kafka.PollOutOfRange:   {kerr.OffsetOutOfRange},
		kafka.PollDataLoss:     {&kgo.ErrDataLoss{}},
		kafka.PollUndecodable:  {&kgo.ErrDecompressTooLarge{}, errors.New("unknown batch magic 7")},
		kafka.PollRecreated:    {kerr.UnknownTopicID, kerr.InconsistentTopicID},
		kafka.PollFatal: {
			kerr.TopicAuthorizationFailed, kerr.SaslAuthenticationFailed,
			&kgo.ErrGroupSession{Err: kerr.GroupAuthorizationFailed}, &kgo.ErrGroupSession{Err: kerr.InvalidSessionTimeout},
			kerr.UnknownServerError, kerr.ErrorForCode(9999),
		},
		kafka.PollClosed: {kgo.ErrClientClosed, context.Canceled, context.DeadlineExceeded},
	}
	for want, errs := range classes {
		for _, err := range errs {
			got := kafka.ClassifyPoll("events", 3, fmt.Errorf("wrapped: %w", err))
			if got.Class != want || !errors.Is(got, err) {
				t.Errorf("%v is %s, want %s", err, got.Class, want)
			}
		}
	}
}

func TestPollErrorNamesTheRemedy(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		"raise memory.budget":             &kgo.ErrDecompressTooLarge{},
		"source.kafka.on_out_of_range":    kerr.OffsetOutOfRange,
		"restart to consume the new one":  kerr.UnknownTopicID,
		"grant READ on the group":         &kgo.ErrGroupSession{Err: kerr.GroupAuthorizationFailed},
		"source.kafka.session_timeout to": &kgo.ErrGroupSession{Err: kerr.InvalidSessionTimeout},
		"source.kafka.instance_id":        &kgo.ErrGroupSession{Err: kerr.FencedInstanceID},
	} {
		if text := kafka.ClassifyPoll("events", 3, err).Error(); !strings.Contains(text, want) || !strings.HasPrefix(text, "poll events/3: ") {
			t.Errorf("%s\nwant %s", text, want)
		}
	}
	if text := kafka.ClassifyPoll("", 0, kerr.UnknownMemberID).Error(); !strings.HasPrefix(text, "poll: ") {
		t.Error(text)
	}
}
