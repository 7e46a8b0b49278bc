package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// probeBytes is what one probe reads at most, except that a broker returns the first batch whole.
const probeBytes = 1 << 20

// errNoLeader is for a partition that has no leader at the moment; trying again later helps.
var errNoLeader = errors.New("the partition has no leader")

// ProbeTail finds out whether a consumer at position will ever see a record before end. Compaction leaves batches that
// hold nothing, and offsets that no batch covers: kgo passes over them in silence, so that a bounded run would wait for
// ever for a record that says so. next is end if nothing is left before it; else it is position, and a record, a
// transaction's marker included, will come. It is of use only when position stands still before end.
//
// The answer holds for the log of this moment, and what is before end only gets less.
func (a *Admin) ProbeTail(ctx context.Context, s SourceConfig, at TopicPartition, position, end int64) (next int64, err error) {
	if position >= end {
		return end, nil
	}
	topic, leader, err := a.leader(ctx, at)
	if err != nil {
		return position, err
	}
	for offset := position; offset < end; {
		response, err := a.fetchRaw(ctx, s, topic, leader, at, offset, probeBytes)
		if err != nil {
			return position, fmt.Errorf("probe %s at %d: %w", at, offset, err)
		}
		first, after, err := firstRecord(s, at, offset, response, a.decompressor())
		switch {
		case err != nil:
			return position, fmt.Errorf("probe %s at %d: %w", at, offset, err)
		case first >= 0 && first < end:
			return position, nil
		case first >= end:
			return end, nil
		case after <= offset:
			return a.nothingLeft(at, offset, position, end, readable(s, response))
		}
		offset = after
	}
	return end, nil
}

// nothingLeft is for a fetch that brought no batch at all: then either none lies before end, or the broker cannot give
// it yet.
func (a *Admin) nothingLeft(at TopicPartition, offset, position, end, readable int64) (int64, error) {
	if readable >= end {
		return end, nil
	}
	return position, fmt.Errorf("probe %s at %d: %w", at, offset, &EndMovedError{Captured: end, Current: readable})
}

func readable(s SourceConfig, response *kmsg.FetchResponseTopicPartition) int64 {
	if s.Isolation == ReadUncommitted || response.LastStableOffset < 0 {
		return response.HighWatermark
	}
	return response.LastStableOffset
}

func (a *Admin) leader(ctx context.Context, at TopicPartition) (topic kadm.TopicDetail, leader int32, err error) {
	details, err := a.freshTopics(ctx, at.Topic)
	if err != nil {
		return topic, 0, fmt.Errorf("find leader of %s: %w", at, err)
	}
	topic = details[at.Topic]
	if topic.Err != nil {
		return topic, 0, fmt.Errorf("find leader of %s: %w", at, topic.Err)
	}
	partition, ok := topic.Partitions[at.Partition]
	if !ok || partition.Err != nil || partition.Leader < 0 {
		return topic, 0, fmt.Errorf("find leader of %s: %w", at, errNoLeader)
	}
	return topic, partition.Leader, nil
}

// fetchRaw reads so many bytes from the leader beside the client's own fetch sessions; the first batch comes whole.
func (a *Admin) fetchRaw(
	ctx context.Context, s SourceConfig, topic kadm.TopicDetail, leader int32, at TopicPartition, offset int64, most int32,
) (*kmsg.FetchResponseTopicPartition, error) {
	partition := kmsg.NewFetchRequestTopicPartition()
	partition.Partition = at.Partition
	partition.FetchOffset = offset
	partition.PartitionMaxBytes = most
	asked := kmsg.NewFetchRequestTopic()
	asked.Topic, asked.TopicID = topic.Topic, topic.ID
	asked.Partitions = append(asked.Partitions, partition)
	request := kmsg.NewPtrFetchRequest()
	request.MaxBytes = most
	request.MinBytes = 0
	if s.Isolation != ReadUncommitted {
		request.IsolationLevel = 1
	}
	request.Topics = append(request.Topics, asked)

	answer, err := a.client.Broker(int(leader)).RetriableRequest(ctx, request)
	if err != nil {
		return nil, fmt.Errorf("fetch: %w", err)
	}
	response, ok := answer.(*kmsg.FetchResponse)
	if !ok || len(response.Topics) != 1 || len(response.Topics[0].Partitions) != 1 {
		return nil, errNoAnswer
	}
	if err := kerr.ErrorForCode(response.ErrorCode); err != nil {
		return nil, fmt.Errorf("fetch: %w", err)
	}
	return &response.Topics[0].Partitions[0], nil
}

// firstRecord returns the offset of the first record that a consumer would be given, or -1, and the offset after all that
// the response holds. The records are unpacked as kgo does it, because a batch may cover more offsets than it has
// records, before and after them.
func firstRecord(
	s SourceConfig, at TopicPartition, offset int64, response *kmsg.FetchResponseTopicPartition, unpack kgo.Decompressor,
) (first, after int64, err error) {
	fetched, after := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
		KeepControlRecords: true,
		Offset:             offset,
		IsolationLevel:     s.isolation(),
		Topic:              at.Topic,
		Partition:          at.Partition,
	}, response, unpack, nil)
	if fetched.Err != nil {
		return -1, after, fetched.Err
	}
	if len(fetched.Records) == 0 {
		return -1, after, nil
	}
	return fetched.Records[0].Offset, after, nil
}
