package kafkasink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// MissingTopicError says that topics of the sink do not exist and must not be created.
type MissingTopicError struct {
	Field  string // the setting that names them
	Topics []string
}

func (e *MissingTopicError) Error() string {
	section, _, _ := strings.Cut(e.Field, ".topic")
	remedy := "with " + section + ".create: {partitions: N, replication_factor: N}"
	if len(e.Topics) == 1 {
		return fmt.Sprintf("%s: topic %q does not exist; create it, or let Streamer create it %s", e.Field, e.Topics[0], remedy)
	}
	return fmt.Sprintf("%s: topics %s do not exist; create them, or let Streamer create them %s",
		e.Field, strings.Join(e.Topics, ", "), remedy)
}

// settleEvery is the pause between two looks at a topic that was just created: a broker learns of it a moment later.
const settleEvery = 100 * time.Millisecond

// ensureTopics returns the partition count of every topic that records may go to, after creating those that are missing
// if the configuration says so.
func (s *Sink) ensureTopics(ctx context.Context) (map[string]int, error) {
	counts, missing, err := s.countPartitions(ctx)
	switch {
	case err != nil:
		return nil, err
	case len(missing) == 0:
		return counts, nil
	case s.cfg.Create == nil:
		field := s.cluster.Path + ".topics"
		if missing[0] == s.cfg.Topic {
			field = s.cluster.Path + ".topic"
		}
		return nil, &MissingTopicError{Field: field, Topics: missing}
	}
	if err := s.createTopics(ctx, missing); err != nil {
		return nil, err
	}
	for {
		if counts, missing, err = s.countPartitions(ctx); err != nil || len(missing) == 0 {
			return counts, err
		}
		select {
		case <-time.After(settleEvery):
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for the new topic %s: %w", missing[0], context.Cause(ctx))
		}
	}
}

// countPartitions asks a broker, and returns the topics that it does not know apart. kadm would answer from a cache that
// is up to five seconds old, and a topic that has just grown would look as it was.
func (s *Sink) countPartitions(ctx context.Context) (counts map[string]int, missing []string, err error) {
	request := kmsg.NewPtrMetadataRequest()
	topics := s.cfg.Destinations()
	for _, topic := range topics {
		asked := kmsg.NewMetadataRequestTopic()
		asked.Topic = &topic
		request.Topics = append(request.Topics, asked)
	}
	response, err := request.RequestWith(ctx, s.client)
	if err != nil {
		if ctx.Err() != nil { // why it took so long says more than that it did
			err = errors.Join(context.Cause(ctx), s.health.last())
		}
		return nil, nil, fmt.Errorf("look up topic %s: %w", strings.Join(topics, ", "), err)
	}
	counts = make(map[string]int, len(topics))
	for i := range response.Topics {
		answer := &response.Topics[i]
		err := kerr.ErrorForCode(answer.ErrorCode)
		switch {
		case answer.Topic == nil || errors.Is(err, kerr.UnknownTopicOrPartition):
		case err != nil:
			return nil, nil, fmt.Errorf("look up topic %s: %w", *answer.Topic, err)
		default:
			counts[*answer.Topic] = len(answer.Partitions)
		}
	}
	for _, topic := range topics {
		if counts[topic] == 0 {
			missing = append(missing, topic)
		}
	}
	return counts, missing, nil
}

func (s *Sink) createTopics(ctx context.Context, topics []string) error {
	create := s.cfg.Create
	answers, err := kadm.NewClient(s.client).CreateTopics(ctx, create.Partitions, create.ReplicationFactor, nil, topics...)
	if err != nil {
		return fmt.Errorf("create topic %s (%s.create): %w", strings.Join(topics, ", "), s.cluster.Path, err)
	}
	for _, answer := range answers.Sorted() {
		switch {
		case errors.Is(answer.Err, kerr.TopicAlreadyExists): // a replica that starts with us may have been faster
		case answer.Err != nil:
			return fmt.Errorf("create topic %s (%s.create): %w", answer.Topic, s.cluster.Path, answer.Err)
		default:
			s.logger.Info("created the sink's topic", slog.String("topic", answer.Topic))
		}
	}
	return nil
}
