package kafkasink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// MissingTopicError says that the sink's topic does not exist and must not be created.
type MissingTopicError struct{ Topic string }

func (e *MissingTopicError) Error() string {
	return fmt.Sprintf("sink.kafka.topic: topic %q does not exist; create it, or let Streamer create it with "+
		"sink.kafka.create: {partitions: N, replication_factor: N}", e.Topic)
}

// settleEvery is the pause between two looks at a topic that was just created: a broker learns of it a moment later.
const settleEvery = 100 * time.Millisecond

// ensureTopic returns the topic's partition count, after creating it if it is missing and the configuration says so.
func (s *Sink) ensureTopic(ctx context.Context) (int, error) {
	count, err := s.countPartitions(ctx)
	missing := &MissingTopicError{}
	if !errors.As(err, &missing) || s.cfg.Create == nil {
		return count, err
	}
	if err := s.createTopic(ctx); err != nil {
		return 0, err
	}
	for {
		if count, err = s.countPartitions(ctx); !errors.As(err, &missing) {
			return count, err
		}
		select {
		case <-time.After(settleEvery):
		case <-ctx.Done():
			return 0, fmt.Errorf("wait for the new topic %s: %w", s.cfg.Topic, context.Cause(ctx))
		}
	}
}

// countPartitions asks a broker. kadm would answer from a cache that is up to five seconds old, and a topic that has just
// grown would look as it was.
func (s *Sink) countPartitions(ctx context.Context) (int, error) {
	request := kmsg.NewPtrMetadataRequest()
	asked := kmsg.NewMetadataRequestTopic()
	asked.Topic = &s.cfg.Topic
	request.Topics = append(request.Topics, asked)
	response, err := request.RequestWith(ctx, s.client)
	if err != nil {
		if ctx.Err() != nil { // why it took so long says more than that it did
			err = errors.Join(context.Cause(ctx), s.health.last())
		}
		return 0, fmt.Errorf("look up topic %s: %w", s.cfg.Topic, err)
	}
	for _, topic := range response.Topics {
		err := kerr.ErrorForCode(topic.ErrorCode)
		switch {
		case err == nil:
			return len(topic.Partitions), nil
		case !errors.Is(err, kerr.UnknownTopicOrPartition):
			return 0, fmt.Errorf("look up topic %s: %w", s.cfg.Topic, err)
		}
	}
	return 0, &MissingTopicError{Topic: s.cfg.Topic}
}

func (s *Sink) createTopic(ctx context.Context) error {
	_, err := kadm.NewClient(s.client).CreateTopic(ctx, s.cfg.Create.Partitions, s.cfg.Create.ReplicationFactor, nil, s.cfg.Topic)
	if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) { // a replica that starts with us may have been faster
		return fmt.Errorf("create topic %s (sink.kafka.create): %w", s.cfg.Topic, err)
	}
	s.logger.Info("created the sink's topic", slog.String("topic", s.cfg.Topic))
	return nil
}
