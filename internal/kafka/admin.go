package kafka

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Admin answers questions about topics, groups and offsets over any client. It does not own the client.
type Admin struct {
	client *kgo.Client
	admin  *kadm.Client
}

// NewAdmin asks over the client, whose connections it shares.
func NewAdmin(client *kgo.Client) *Admin {
	return &Admin{client: client, admin: kadm.NewClient(client)}
}

// decompressor is the client's own, with its bound: kgo's default one would unpack 2 GiB.
func (a *Admin) decompressor() kgo.Decompressor {
	if d, ok := a.client.OptValue(kgo.WithDecompressor).(kgo.Decompressor); ok {
		return d
	}
	return kgo.DefaultDecompressor()
}

// MissingTopicError says which of the named topics do not exist.
type MissingTopicError struct{ Topics []string }

func (e *MissingTopicError) Error() string {
	return fmt.Sprintf("no such topic: %s; create it, or correct the name", strings.Join(e.Topics, ", "))
}

// TopicIDs returns the ids of those of the topics that exist. Brokers before 2.8 have none, so those are left out too.
func (a *Admin) TopicIDs(ctx context.Context, topics ...string) (map[string]kadm.TopicID, error) {
	details, err := a.freshTopics(ctx, topics...)
	if err != nil {
		return nil, err
	}
	ids := make(map[string]kadm.TopicID, len(details))
	for topic, detail := range details {
		if detail.Err == nil && detail.ID != (kadm.TopicID{}) {
			ids[topic] = detail.ID
		}
	}
	return ids, nil
}

// Recreated is the error of a topic that has another id than when the client began to read it.
func Recreated(topic string) error {
	return &PollError{Class: PollRecreated, Topic: topic, Partition: -1, Err: kerr.InconsistentTopicID}
}

// SourcePartitions lists the partitions of the source's topics as they are now; for a pattern, of all topics that match.
// A topic that is named but does not exist is a [MissingTopicError].
func (a *Admin) SourcePartitions(ctx context.Context, s SourceConfig) (Partitions, error) {
	if s.TopicPattern != "" {
		return a.matchingPartitions(ctx, s.TopicPattern)
	}
	if len(s.Topics) == 0 {
		return Partitions{}, nil
	}
	found, err := a.Partitions(ctx, s.Topics...)
	if _, missing := errors.AsType[*MissingTopicError](err); missing {
		return nil, fmt.Errorf("%s.topics: %w", sourcePath, err)
	}
	return found, err
}

// Partitions lists the partitions of the named topics; at least one must be named.
func (a *Admin) Partitions(ctx context.Context, topics ...string) (Partitions, error) {
	details, err := a.freshTopics(ctx, topics...)
	if err != nil {
		return nil, err
	}
	found, missing := Partitions{}, &MissingTopicError{}
	for _, topic := range topics {
		detail, ok := details[topic]
		switch {
		case !ok || errors.Is(detail.Err, kerr.UnknownTopicOrPartition):
			missing.Topics = append(missing.Topics, topic)
		case detail.Err != nil:
			return nil, fmt.Errorf("describe topic %s: %w", topic, detail.Err)
		default:
			found[topic] = detail.Partitions.Numbers()
		}
	}
	if len(missing.Topics) > 0 {
		return nil, missing
	}
	return found, nil
}

func (a *Admin) matchingPartitions(ctx context.Context, pattern string) (Partitions, error) {
	match, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("compile topic pattern: %w", err)
	}
	internal := regexp.MustCompile(internalTopics)
	details, err := a.freshTopics(ctx)
	if err != nil {
		return nil, err
	}
	found := Partitions{}
	for topic, detail := range details {
		if !match.MatchString(topic) || internal.MatchString(topic) {
			continue
		}
		if detail.Err != nil {
			return nil, fmt.Errorf("describe topic %s: %w", topic, detail.Err)
		}
		found[topic] = detail.Partitions.Numbers()
	}
	return found, nil
}

// freshTopics describes topics, all without a name, as they are now. Look-ups otherwise answer from what the client has
// learnt in the last seconds; a partition that was added since would be missing.
func (a *Admin) freshTopics(ctx context.Context, topics ...string) (kadm.TopicDetails, error) {
	request := kmsg.NewPtrMetadataRequest()
	for _, topic := range topics {
		asked := kmsg.NewMetadataRequestTopic()
		asked.Topic = new(topic)
		request.Topics = append(request.Topics, asked)
	}
	if _, err := a.client.RequestCachedMetadata(ctx, request, time.Nanosecond); err != nil {
		return nil, fmt.Errorf("refresh topics: %w", err)
	}
	details, err := a.admin.ListTopics(ctx, topics...)
	if err != nil {
		return nil, fmt.Errorf("list topics: %w", err)
	}
	return details, nil
}
