package streamer

import (
	"context"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/kafka"
	"streamer/internal/pipeline"
	"streamer/internal/record"
	"streamer/internal/sink"
	"streamer/internal/sink/kafkasink"
)

// deadLetters writes records that failed to the dead-letter topic, as they came. The delivery's goroutine uses it.
type deadLetters struct {
	writer   *sink.Writer
	pipeline string // the group, by which operators know the pipeline
	version  string
	original func(record.DeadLetter) record.DeadLetter // nil unless the source is a topic of dead letters
}

// write writes the batch's dead letters; nil means that they are durable. Brokers that do not answer are waited for.
func (d *deadLetters) write(ctx context.Context, b *record.Batch) error {
	letters := &record.Batch{ID: b.ID, Cut: b.Cut, Opened: b.Opened, Closed: b.Closed}
	for _, block := range b.Blocks {
		if len(block.Dead) == 0 {
			continue
		}
		of := &record.Block{Owner: block.Owner, Span: block.Span, Out: make([]record.Output, len(block.Dead))}
		for i := range block.Dead {
			dead := block.Dead[i]
			if d.original != nil {
				dead = d.original(dead)
			}
			of.Out[i] = d.letter(&dead)
		}
		letters.Blocks = append(letters.Blocks, of)
		letters.Records += len(of.Out)
	}
	if letters.Records == 0 {
		return nil
	}
	if err := d.writer.Write(ctx, letters); err != nil {
		return fmt.Errorf("write dead letters: %w", err)
	}
	return nil
}

// letter is the record with headers behind its own that say where it came from and what was wrong.
func (d *deadLetters) letter(of *record.DeadLetter) record.Output {
	headers := make([]kgo.RecordHeader, 0, len(of.Headers)+len(kafka.DeadLetterHeaders()))
	headers = append(headers, of.Headers...)
	for _, h := range []struct{ name, value string }{
		{kafka.HeaderSourceTopic, of.Owner.Topic},
		{kafka.HeaderSourcePartition, strconv.Itoa(int(of.Owner.Partition))},
		{kafka.HeaderSourceOffset, strconv.FormatInt(of.Offset, 10)},
		{kafka.HeaderSourceTimestamp, strconv.FormatInt(of.Timestamp.UnixMilli(), 10)},
		{kafka.HeaderErrorClass, of.Class},
		{kafka.HeaderErrorStep, of.Step},
		{kafka.HeaderErrorReason, of.Err.Error()},
		{kafka.HeaderPipeline, d.pipeline},
		{kafka.HeaderVersion, d.version},
	} {
		headers = append(headers, kgo.RecordHeader{Key: h.name, Value: []byte(h.value)})
	}
	// Its time is that of its writing: with the record's own, an old record would be past the topic's retention at once.
	return record.Output{Key: of.Key, Value: of.Value, Headers: headers, Offset: of.Offset}
}

// close closes the writer; of none there is nothing to close.
func (d *deadLetters) close() error {
	if d == nil {
		return nil
	}
	return d.writer.Close()
}

// openDeadLetters makes the writer of dead letters, on the source's cluster; nil if no policy asks for one, and in a run that
// only shows what it would write: it counts them.
func (s *Service) openDeadLetters(ctx context.Context) (*deadLetters, error) {
	if !s.cfg.Pipeline.OnError.Has(pipeline.DeadLetter) || s.preview != nil {
		return nil, nil //nolint:nilnil // having none is no error
	}
	use := kafka.Use{Role: "dead_letter", Path: "kafka", Logger: clientLog(s.log), Metrics: s.registry}
	out, err := kafkasink.New(ctx, s.cfg.DeadLetter.Output(), kafkasink.Cluster{
		Path: "dead_letter",
		NewClient: func(opts ...kgo.Opt) (*kgo.Client, error) {
			return kafka.NewClient(s.cfg.Kafka, use, opts...)
		},
		InputPartitions: s.inputPartitions,
	}, s.log)
	if err != nil {
		return nil, fmt.Errorf("open the dead-letter topic: %w", err)
	}
	letters := &deadLetters{
		writer:   sink.NewWriter(out, s.cfg.Sink.Delivery, s.log, sink.NewMetrics(s.registry, "dead_letter")),
		pipeline: s.cfg.Source.Kafka.Group,
		version:  s.opts.Version,
	}
	if r := s.opts.Redrive; r != nil {
		letters.pipeline, letters.original = r.Pipeline, r.Original
	}
	return letters, nil
}
