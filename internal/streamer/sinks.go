package streamer

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/config"
	"streamer/internal/kafka"
	"streamer/internal/sink"
	"streamer/internal/sink/dropsink"
	"streamer/internal/sink/filesink"
	"streamer/internal/sink/kafkasink"
	"streamer/internal/sink/stdoutsink"
)

// openSink makes the configured sink, ready to be written to.
func (s *Service) openSink(ctx context.Context) (sink.Sink, error) {
	var (
		out sink.Sink
		err error
	)
	if s.preview != nil {
		return s.openPreview(ctx)
	}
	switch s.cfg.Sink.Type {
	case config.SinkKafka:
		out, err = s.openKafkaSink(ctx)
	case config.SinkFile:
		out, err = filesink.New(ctx, s.cfg.Sink.File, s.log)
	case config.SinkStdout:
		out = stdoutsink.New(s.opts.Stdout)
	case config.SinkDrop:
		out = dropsink.New()
	default:
		err = fmt.Errorf("sink.type: %q is no sink; write kafka, file, stdout or drop", s.cfg.Sink.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("open sink %s: %w", s.cfg.Sink.Type, err)
	}
	return out, nil
}

// openKafkaSink tells the sink how to reach its cluster, which may be another than the source's.
func (s *Service) openKafkaSink(ctx context.Context) (sink.Sink, error) {
	connection := s.cfg.SinkConnection()
	use := kafka.Use{Role: "sink", Path: "sink.kafka", Logger: clientLog(s.log), Metrics: s.registry}
	if len(s.cfg.Sink.Kafka.Connection.Brokers) == 0 {
		use.Path = "kafka"
	} else if err := kafka.Check(ctx, connection, use); err != nil {
		return nil, fmt.Errorf("reach the brokers: %w", err)
	}
	return kafkasink.New(ctx, s.cfg.Sink.Kafka.Output, kafkasink.Cluster{
		NewClient: func(opts ...kgo.Opt) (*kgo.Client, error) {
			return kafka.NewClient(connection, use, opts...)
		},
		InputPartitions: s.inputPartitions,
	}, s.log)
}

// inputPartitions counts the partitions of each input topic.
func (s *Service) inputPartitions(ctx context.Context) (map[string]int, error) {
	partitions, err := s.lookups.SourcePartitions(ctx, s.cfg.Source.Kafka)
	if err != nil {
		return nil, fmt.Errorf("count the input's partitions: %w", err)
	}
	counts := make(map[string]int, len(partitions))
	for topic, ids := range partitions {
		counts[topic] = len(ids)
	}
	return counts, nil
}
