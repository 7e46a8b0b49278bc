package demo

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"streamer/internal/config"
	"streamer/internal/pipeline"
	"streamer/internal/setting"
	"streamer/internal/streamer"
)

// steps are the pipeline under test; [Event.AppendView] says what they must do.
func steps() []pipeline.Step {
	return []pipeline.Step{
		{Kind: pipeline.KindFilter, Expression: `event_type == "view"`},
		{Kind: pipeline.KindMap, Fields: pipeline.Mapping{
			{Name: "ad_id", Expression: "ad_id"},
			{Name: "event_time", Expression: "event_time"},
			{Name: "campaign_id", Expression: "campaign_id"},
		}},
	}
}

// Intervals short enough to be watched: ten blocks per partition in a batch, and a batch each second.
const (
	blockInterval = 100 * time.Millisecond
	batchInterval = time.Second
)

// Run shows the service at work and checks it; the options are valid. It returns nil if exactly what went in came out;
// ending ctx ends the events and is no error.
func Run(ctx context.Context, o Options) error { return run(ctx, o, startStreamer(o.Version)) }

// budget is small, so that the memory gauge moves; the service needs a few MiB of it.
const budget = 64 << 20

// startStreamer makes the real service.
func startStreamer(version string) starter {
	return func(broker *Broker, adminAddress string, logger *slog.Logger) (service, error) {
		svc, err := streamer.New(serviceConfig(broker, adminAddress),
			streamer.Options{Logger: logger, Stdout: io.Discard, Version: version})
		if err != nil {
			return nil, fmt.Errorf("build the service: %w", err)
		}
		return svc, nil
	}
}

func serviceConfig(broker *Broker, adminAddress string) config.Config {
	cfg := config.Default()
	cfg.Kafka = broker.connection()
	cfg.Source.Kafka.Topics = []string{inputTopic}
	cfg.Source.Kafka.Group = group
	cfg.Block.Interval = setting.Duration(blockInterval)
	cfg.Batch.Interval = setting.Duration(batchInterval)
	cfg.Pipeline.Decode.Value.Format, cfg.Pipeline.Encode.Value.Format = "json", "json"
	cfg.Pipeline.Steps = steps()
	cfg.Sink.Type = config.SinkKafka
	cfg.Sink.Kafka.Connection = broker.connection()
	cfg.Sink.Kafka.Output.Topic = outputTopic
	cfg.Memory.Budget = budget
	cfg.Admin.Listen = adminAddress
	return cfg
}
