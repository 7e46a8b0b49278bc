package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"streamer/internal/config"
	"streamer/internal/guarantee"
	"streamer/internal/kafka"
)

// checkBrokers asks the brokers what `run` would ask before it joins, and changes nothing. What is found goes to stderr,
// and the partitions that topics have to counts; all that is wrong is returned together.
func (p *program) checkBrokers(ctx context.Context, cfg config.Config, counts guarantee.Counts) error {
	toKafka := cfg.Sink.Type == config.SinkKafka
	own := toKafka && len(cfg.Sink.Kafka.Connection.Brokers) > 0
	err := p.withAdmin(ctx, cfg.Kafka, "kafka", func(admin *kafka.Admin) error {
		err := p.checkSource(ctx, admin, cfg.Source.Kafka, counts.Inputs)
		if toKafka && !own {
			err = errors.Join(err, p.checkSink(ctx, admin, cfg.Sink.Kafka, counts.Outputs))
		}
		return err
	})
	if !own {
		return err
	}
	return errors.Join(err, p.withAdmin(ctx, cfg.SinkConnection(), "sink.kafka", func(admin *kafka.Admin) error {
		return p.checkSink(ctx, admin, cfg.Sink.Kafka, counts.Outputs)
	}))
}

func (p *program) withAdmin(ctx context.Context, c kafka.Config, path string, work func(*kafka.Admin) error) error {
	client, err := kafka.Connect(ctx, c, kafka.Use{Role: "admin", Path: path})
	if err != nil {
		return fmt.Errorf("reach the brokers: %w", err)
	}
	defer client.Close()
	p.tellf("%s: the brokers answer", path)
	return work(kafka.NewAdmin(client))
}

func (p *program) checkSource(
	ctx context.Context, admin *kafka.Admin, source kafka.SourceConfig, counts map[string]int,
) error {
	partitions, err := admin.SourcePartitions(ctx, source)
	if err != nil {
		return fmt.Errorf("check the source: %w", err)
	}
	p.tellf("source.kafka: topics: %s", list(partitions))
	count(partitions, counts)
	if source.Group == "" {
		return nil
	}
	notice, err := admin.StartNotice(ctx, source, partitions)
	if err != nil {
		return fmt.Errorf("check the group: %w", err)
	}
	if notice != "" {
		p.tellf("%s", notice) // names its key itself
	}
	return nil
}

func (p *program) checkSink(
	ctx context.Context, admin *kafka.Admin, sink config.KafkaSink, counts map[string]int,
) error {
	topics := sink.Output.Destinations()
	partitions, err := admin.Partitions(ctx, topics...)
	missing, some := errors.AsType[*kafka.MissingTopicError](err)
	if some && sink.Output.Create != nil {
		for _, topic := range missing.Topics {
			p.tellf("sink.kafka: topic %s is missing; run creates it", topic)
		}
		topics = slices.DeleteFunc(topics, func(topic string) bool { return slices.Contains(missing.Topics, topic) })
		if len(topics) == 0 {
			return nil
		}
		partitions, err = admin.Partitions(ctx, topics...)
	}
	if err != nil {
		return fmt.Errorf("check sink.kafka.topic: %w", err)
	}
	p.tellf("sink.kafka: topic: %s", list(partitions))
	count(partitions, counts)
	return nil
}

func count(partitions kafka.Partitions, counts map[string]int) {
	for topic, ids := range partitions {
		counts[topic] = len(ids)
	}
}

// tellGuarantee says what the pipeline promises, and why it is not more.
func (p *program) tellGuarantee(cfg config.Config, counts guarantee.Counts) {
	g := guarantee.Of(cfg, counts)
	p.tellf("delivery: %s", g.Sentence)
	for _, reason := range g.Reasons {
		p.tellf("  %s", reason)
	}
}

func (p *program) tellf(format string, args ...any) {
	_, _ = fmt.Fprintf(p.stderr, format+"\n", args...)
}

// list names the topics with their numbers of partitions; of a pattern that matches very many, the first few.
func list(partitions kafka.Partitions) string {
	const most = 10
	topics := partitions.Topics()
	parts := make([]string, 0, most+1)
	for i, topic := range topics {
		if i == most {
			parts = append(parts, fmt.Sprintf("and %d more", len(topics)-most))
			break
		}
		parts = append(parts, fmt.Sprintf("%s (partitions: %d)", topic, len(partitions[topic])))
	}
	if len(parts) == 0 {
		return "none yet"
	}
	return strings.Join(parts, ", ")
}
