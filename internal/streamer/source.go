package streamer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/kafka"
	"streamer/internal/partitionstream"
	"streamer/internal/setting"
)

// sourceLookups answers the assignment's questions about the log.
type sourceLookups struct {
	lookups *kafka.Admin
	plan    *kafka.StartPlan
	cfg     kafka.SourceConfig
}

// Start implements [partitionstream.Source].
func (l *sourceLookups) Start(ctx context.Context, missing map[string][]int32) (map[string]map[int32]int64, error) {
	return l.plan.Resolve(ctx, missing)
}

// Committed implements [partitionstream.Source].
func (l *sourceLookups) Committed(ctx context.Context, of map[string][]int32) (map[string]map[int32]int64, error) {
	return l.lookups.Committed(ctx, l.cfg.Group, of)
}

// Reset implements [partitionstream.Source].
func (l *sourceLookups) Reset(ctx context.Context, topic string, partition int32, position int64) (int64, error) {
	of := kafka.Partitions{topic: {partition}}
	start, err := l.lookups.Starts(ctx, of)
	if err != nil {
		return 0, err
	}
	end, err := l.lookups.Ends(ctx, of, l.cfg.Isolation)
	if err != nil {
		return 0, err
	}
	switch l.cfg.OnOutOfRange {
	case kafka.OutOfRangeEarliest:
		return start[topic][partition], nil
	case kafka.OutOfRangeLatest:
		return end[topic][partition], nil
	}
	return 0, fmt.Errorf("position %d of %s/%d is not in the log, which has offsets %d to %d: its records were deleted before "+
		"they were read, or the log was cut; set source.kafka.on_out_of_range to earliest or latest, or move the group by "+
		"`streamer offsets set`", position, topic, partition, start[topic][partition], end[topic][partition])
}

// Examine implements [partitionstream.Source].
func (l *sourceLookups) Examine(ctx context.Context, topic string, partition int32, position int64) error {
	return l.lookups.Examine(ctx, l.cfg, kafka.TopicPartition{Topic: topic, Partition: partition}, position)
}

// ProbeTail implements [partitionstream.Source].
func (l *sourceLookups) ProbeTail(
	ctx context.Context, topic string, partition int32, position, end int64,
) (int64, error) {
	return l.lookups.ProbeTail(ctx, l.cfg, kafka.TopicPartition{Topic: topic, Partition: partition}, position, end)
}

// lookUp reaches the source's brokers and asks all that has to be known before a group is joined.
func (s *Service) lookUp(ctx context.Context) error {
	use := kafka.Use{Role: "admin", Path: "kafka", Logger: clientLog(s.log), Metrics: s.registry}
	// A client of its own: a look-up that waits for a broker must not stand before heartbeats and commits.
	client, err := kafka.Connect(ctx, s.cfg.Kafka, use, kafka.UnpackLimit(s.budget))
	if err != nil {
		return fmt.Errorf("reach the brokers: %w", err)
	}
	s.lookups, s.closeLookups = kafka.NewAdmin(client), client.Close
	s.ping = func(ctx context.Context) error { return kafka.Explain(client.Ping(ctx), s.cfg.Kafka, use.Path) }
	source := s.cfg.Source.Kafka
	partitions, err := s.lookups.SourcePartitions(ctx, source)
	if err != nil {
		return err
	}
	s.noTopics = partitions.Len() == 0
	now := time.Now()
	if source.Until != "" {
		if s.bound, err = s.lookups.CaptureEnds(ctx, source, partitions, now); err != nil {
			return fmt.Errorf("list the ends of the bounded run: %w", err)
		}
	}
	if source.Group == "" {
		s.direct, err = s.directOffsets(ctx)
		return err
	}
	err = s.retry(ctx, func() error {
		s.plan, err = s.lookups.PrepareStart(ctx, source, partitions, now)
		return err
	})
	if err != nil {
		return fmt.Errorf("resolve source.kafka.start: %w", err)
	}
	if notice := s.plan.Notice(); notice != "" {
		s.log.Info("the group has been here before", "notice", notice)
	}
	return nil
}

// How often, and for how long, a start tries again while the group's coordinator is not there yet: a new cluster makes the
// topic of commits when the first group asks for it.
const (
	startRetryEvery = 250 * time.Millisecond
	startRetryFor   = 30 * time.Second
)

// retry calls f until it succeeds, fails for good or has failed for too long.
func (s *Service) retry(ctx context.Context, f func() error) error {
	ctx, cancel := context.WithTimeout(ctx, startRetryFor)
	defer cancel()
	for {
		err := f()
		if err == nil || kafka.ClassifyCommit(err) != kafka.CommitTransient {
			return err
		}
		s.log.Warn("the brokers are not ready for the group; trying again", "error", err)
		select {
		case <-time.After(startRetryEvery):
		case <-ctx.Done():
			return err
		}
	}
}

// newClient makes the consuming client. With a group it joins at once.
func (s *Service) newClient() (*kgo.Client, *kafka.FetchSizer, error) {
	source := s.cfg.Source.Kafka
	opts, sizer := kafka.SourceOptions(source, s.budget)
	opts = append(opts, s.assignment.Options()...)
	if source.Group == "" {
		opts = append(opts, kgo.ConsumePartitions(direct(s.direct)))
	}
	use := kafka.Use{Role: "source", Path: "kafka", Logger: clientLog(s.log), Metrics: s.registry}
	client, err := kafka.NewClient(s.cfg.Kafka, use, opts...)
	return client, sizer, err
}

// directOffsets resolves where a run without a group begins.
func (s *Service) directOffsets(ctx context.Context) (kafka.Offsets, error) {
	source := s.cfg.Source.Kafka
	start, err := kafka.ParseStart(source.Start)
	if err != nil {
		return nil, fmt.Errorf("source.kafka.start: %w", err)
	}
	begin, err := s.lookups.Resolve(ctx, s.bound.Partitions(), start, source.Isolation, time.Now())
	switch {
	case err != nil:
		return nil, err
	case s.preview != nil && s.preview.group != "":
		return begin, s.asGroup(ctx, s.preview.group, begin)
	case s.opts.Redrive == nil || s.opts.Redrive.From == "":
		return begin, nil
	}
	committed, err := s.lookups.Committed(ctx, s.opts.Redrive.From, s.bound.Partitions())
	if err != nil {
		return nil, err
	}
	for at, offset := range committed.Sorted() {
		if first, _ := begin.Get(at.Topic, at.Partition); offset > first { // or what it names is not in the log any more
			begin.Set(at.Topic, at.Partition, offset)
		}
	}
	return begin, nil
}

// asGroup moves the places to those at which the group would go on: its commits, and the beginning of partitions that were
// added to a topic that it knows.
func (s *Service) asGroup(ctx context.Context, group string, begin kafka.Offsets) error {
	partitions := s.bound.Partitions()
	committed, err := s.lookups.Committed(ctx, group, partitions)
	if err != nil {
		return err
	}
	first, err := s.lookups.Starts(ctx, partitions)
	if err != nil {
		return err
	}
	for at, offset := range first.Sorted() {
		if len(committed[at.Topic]) == 0 {
			continue
		}
		if commit, ok := committed.Get(at.Topic, at.Partition); ok {
			offset = commit // also one that is not in the log any more: on_out_of_range decides, as for the group
		}
		begin.Set(at.Topic, at.Partition, offset)
	}
	return nil
}

func direct(offsets kafka.Offsets) map[string]map[int32]kgo.Offset {
	places := make(map[string]map[int32]kgo.Offset, len(offsets))
	for p, at := range offsets.Sorted() {
		if places[p.Topic] == nil {
			places[p.Topic] = make(map[int32]kgo.Offset)
		}
		places[p.Topic][p.Partition] = kgo.NewOffset().At(at)
	}
	return places
}

// assertProtocol checks, once the member has joined, that it joined by the protocol that was asked for.
func (s *Service) assertProtocol(ctx context.Context) error {
	ticker := time.NewTicker(startRetryEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
		if !s.assignment.Joined() {
			continue
		}
		err := s.lookups.AssertProtocol(ctx, s.client, s.cfg.Source.Kafka)
		if err == nil {
			return nil
		}
		if _, wrong := errors.AsType[setting.Fault](err); wrong {
			s.failed.fail(err)
			return nil
		}
		if ctx.Err() == nil {
			s.log.Warn("asking for the group's protocol failed; trying again", "error", err)
		}
	}
}

var _ partitionstream.Source = (*sourceLookups)(nil)
