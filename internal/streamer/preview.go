package streamer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/config"
	"streamer/internal/kafka"
	"streamer/internal/pipeline"
	"streamer/internal/record"
	"streamer/internal/setting"
	"streamer/internal/sink"
	"streamer/internal/sink/filesink"
	"streamer/internal/sink/kafkasink"
)

// Preview makes a bounded run without a group that shows what the service would write, and writes nothing: no record, no
// dead letter, no commit, no topic, no schema.
type Preview struct {
	Out   io.Writer
	Limit int // outputs to show, at least 1; the run ends with the last of them
}

// preview is the sink of such a run. Write is called by the delivery's goroutine; the rest may be called by any.
type preview struct {
	Preview

	group string // that is not joined; the run begins at its commits
	place func(*record.Block) ([]kgo.Record, []sink.Rejection)
	where func(*kgo.Record) string
	shown int
	full  chan struct{} // closed when all is shown
	once  sync.Once
}

func newPreview(p *Preview, cfg config.Config) *preview {
	if p == nil {
		return nil
	}
	return &preview{Preview: *p, group: cfg.Source.Kafka.Group, full: make(chan struct{})}
}

// only is the configuration of a run that changes nothing outside of this process.
func (p *preview) only(cfg config.Config) config.Config {
	source := &cfg.Source.Kafka
	source.Group, source.InstanceID = "", "" // so that nothing is joined, and nothing committed
	if source.Until == "" {
		source.Until = "latest"
	}
	// The registry would get a schema for good from a run that is to leave no trace.
	cfg.Pipeline.Encode.Key.Register, cfg.Pipeline.Encode.Value.Register = false, false
	if !reduces(cfg.Pipeline) { // whose rows depend on where batches are cut
		cfg.Block.Interval, cfg.Batch.Interval = 0, 0 // or the first record is shown after batch.interval, which may be long
		cfg.Block.MaxRecords = min(cfg.Block.MaxRecords, p.Limit)
		cfg.Batch.MaxRecords = min(cfg.Batch.MaxRecords, p.Limit)
	}
	return cfg
}

func reduces(c pipeline.Config) bool {
	return slices.ContainsFunc(c.Steps, func(s pipeline.Step) bool { return s.Kind == pipeline.KindReduce })
}

// enough is closed when all is shown; nil, which is never ready, without a preview.
func (p *preview) enough() <-chan struct{} {
	if p == nil {
		return nil
	}
	return p.full
}

func (p *preview) isFull() bool {
	select {
	case <-p.enough():
		return true
	default:
		return false
	}
}

// openPreview asks the brokers what the sink would, and creates nothing.
func (s *Service) openPreview(ctx context.Context) (sink.Sink, error) {
	p := s.preview
	switch s.cfg.Sink.Type {
	case config.SinkKafka:
		inputs, err := s.inputPartitions(ctx)
		if err != nil {
			return nil, err
		}
		outputs, err := s.outputPartitions(ctx)
		if err != nil {
			return nil, fmt.Errorf("look up the topics of sink kafka: %w", err)
		}
		p.place = kafkasink.NewPreview(s.cfg.Sink.Kafka.Output, inputs, outputs).Records
		p.where = func(r *kgo.Record) string { return fmt.Sprintf("%s/%d", r.Topic, r.Partition) }
	case config.SinkFile:
		p.place = lines(filesink.Line)
		p.where = func(*kgo.Record) string { return "file in " + s.cfg.Sink.File.Directory }
	default:
		p.place = lines(func(value []byte) ([]byte, error) {
			if value == nil {
				return []byte("null"), nil
			}
			return value, nil
		})
		p.where = func(*kgo.Record) string { return s.cfg.Sink.Type }
	}
	return p, nil
}

// outputPartitions counts the partitions of the sink's topics, those that a run would create among them.
func (s *Service) outputPartitions(ctx context.Context) (map[string]int, error) {
	use := kafka.Use{Role: "sink", Path: "sink.kafka", Logger: clientLog(s.log)}
	admin := s.lookups
	if len(s.cfg.Sink.Kafka.Connection.Brokers) > 0 {
		client, err := kafka.Connect(ctx, s.cfg.SinkConnection(), use)
		if err != nil {
			return nil, fmt.Errorf("reach the brokers: %w", err)
		}
		defer client.Close()
		admin = kafka.NewAdmin(client)
	}
	output, counts := s.cfg.Sink.Kafka.Output, map[string]int{}
	topics := output.Destinations()
	partitions, err := admin.Partitions(ctx, topics...)
	if missing, some := errors.AsType[*kafka.MissingTopicError](err); some && output.Create != nil {
		if output.Create.Partitions < 1 {
			return nil, setting.Fault{
				Field: "sink.kafka.create.partitions", Value: strconv.Itoa(int(output.Create.Partitions)),
				Remedy: "lets the broker choose when the run creates " + strings.Join(missing.Topics, ", ") +
					", so nobody knows where records would go; write a number, or create the topic first",
			}
		}
		for _, topic := range missing.Topics {
			counts[topic] = int(output.Create.Partitions)
		}
		topics = slices.DeleteFunc(topics, func(topic string) bool { return counts[topic] > 0 })
		if len(topics) == 0 {
			return counts, nil
		}
		partitions, err = admin.Partitions(ctx, topics...)
	}
	if err != nil {
		return nil, err
	}
	for topic, ids := range partitions {
		counts[topic] = len(ids)
	}
	return counts, nil
}

// lines places for sinks that write values alone.
func lines(line func([]byte) ([]byte, error)) func(*record.Block) ([]kgo.Record, []sink.Rejection) {
	return func(block *record.Block) (records []kgo.Record, refused []sink.Rejection) {
		records = make([]kgo.Record, block.Len())
		for i := range records {
			out := block.Output(i)
			if out.Refused {
				continue
			}
			value, err := line(out.Value)
			if err != nil {
				refused = append(refused, sink.Reject(block, i, err))
			}
			records[i].Value = value
		}
		return records, refused
	}
}

// Write implements [sink.Sink]. It refuses before it shows: what is shown is not shown again when the rest of the batch comes
// once more.
func (p *preview) Write(ctx context.Context, batch *record.Batch) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("show records: %w", err)
	}
	var text bytes.Buffer
	var refused []sink.Rejection
	shown := p.shown
	for _, block := range batch.Blocks {
		if shown == p.Limit {
			break
		}
		records, no := p.place(block)
		refused = append(refused, no...)
		for i := range records {
			out := block.Output(i)
			if out.Refused || shown == p.Limit {
				continue
			}
			p.write(&text, &records[i], sink.Origin{Owner: block.Owner, Offset: out.Offset})
			shown++
		}
	}
	if len(refused) > 0 {
		return sink.RejectAll(refused)
	}
	if _, err := text.WriteTo(p.Out); err != nil {
		return &sink.PermanentError{Err: fmt.Errorf("show records: %w", err)}
	}
	if p.shown = shown; shown == p.Limit {
		p.once.Do(func() { close(p.full) })
	}
	return nil
}

// Close implements [sink.Sink].
func (*preview) Close() error { return nil }

// write shows one record: where it goes, its key and where it comes from, then its headers, then its value.
func (p *preview) write(to *bytes.Buffer, r *kgo.Record, from sink.Origin) {
	to.WriteString(p.where(r))
	if r.Key != nil {
		to.WriteString(" key " + strconv.Quote(string(r.Key)))
	}
	if from.Owner.Topic != "" { // a row of reduce_by_key comes from many
		to.WriteString(" from " + from.String())
	}
	to.WriteByte('\n')
	for _, h := range r.Headers {
		to.WriteString("  " + strconv.Quote(h.Key) + ": " + printable(h.Value) + "\n")
	}
	to.WriteString("  " + printable(r.Value) + "\n")
}

// printable is a value on one line. Text stands for itself; what could move the cursor, or is no text, is quoted.
func printable(value []byte) string {
	text := string(value)
	switch {
	case value == nil:
		return "null (tombstone)"
	case text != "" && utf8.ValidString(text) && strings.IndexFunc(text, unprintable) < 0:
		return text
	}
	return strconv.Quote(text)
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }
