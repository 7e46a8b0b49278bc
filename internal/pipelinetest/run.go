package pipelinetest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.yaml.in/yaml/v3"

	"streamer/internal/batcher"
	"streamer/internal/codec"
	"streamer/internal/config"
	"streamer/internal/document"
	"streamer/internal/pipeline"
	"streamer/internal/record"
)

// Tester runs cases against the pipeline of one configuration. It belongs to one goroutine.
type Tester struct {
	chain *pipeline.Chain
	cfg   pipeline.Config
	topic string // of records that name none
}

// New compiles the pipeline. Nothing is asked of brokers or a schema registry: values are read and written by the schema
// files that the configuration names, without a registry's frame. The error lists every fault.
func New(cfg config.Config) (*Tester, error) {
	cfg.SchemaRegistry.Client.URLs = nil
	p := &cfg.Pipeline
	for _, formats := range []*pipeline.Formats{&p.Decode, &p.Encode} {
		unframe(formats)
	}
	p.Streams = slices.Clone(p.Streams)
	for i := range p.Streams {
		unframe(&p.Streams[i].Decode)
	}
	chain, err := pipeline.Compile(*p, cfg.PipelineOptions())
	if err != nil {
		return nil, fmt.Errorf("compile pipeline: %w", err)
	}
	t := &Tester{chain: chain, cfg: *p, topic: "events"}
	if topics := cfg.Source.Kafka.Topics; len(topics) > 0 {
		t.topic = topics[0]
	}
	return t, nil
}

func unframe(f *pipeline.Formats) {
	for _, side := range []*codec.Config{&f.Key, &f.Value} {
		side.Framing, side.Subject, side.Register = "", "", false
	}
}

// Run runs a case and returns what differs from what it expects; nothing if it passes. The error is one of the case itself.
func (t *Tester) Run(ctx context.Context, c *Case) ([]string, error) {
	blocks, err := t.input(ctx, c)
	if err != nil {
		return nil, err
	}
	worker := t.chain.NewWorker(ctx)
	open := batcher.New(batcher.Config{})
	var all []*record.Block
	for _, b := range blocks {
		worker.Process(b)
		all = append(all, b)
		open.Add(b, time.Time{})
	}
	batch := open.Cut(record.ByEnd, time.Time{})
	if reducer := t.chain.NewReducer(ctx); reducer != nil {
		if err := reducer.Reduce(batch); err != nil {
			return []string{err.Error()}, nil //nolint:nilerr // it is what the pipeline makes of the case
		}
	}
	differences, err := t.compareOutputs(ctx, c, batch)
	if err != nil {
		return nil, err
	}
	return append(differences, compareFailures(c, all)...), nil
}

// input makes the records' blocks, one for each partition.
func (t *Tester) input(ctx context.Context, c *Case) ([]*record.Block, error) {
	var blocks []*record.Block
	for i := range c.Input {
		r, err := t.record(ctx, &c.Input[i])
		if err != nil {
			return nil, fmt.Errorf("input %d: %w", i+1, err)
		}
		owner := record.Owner{Topic: r.Topic, Partition: r.Partition}
		at := slices.IndexFunc(blocks, func(b *record.Block) bool { return b.Owner == owner })
		if at < 0 {
			at = len(blocks)
			blocks = append(blocks, &record.Block{Owner: owner})
		}
		b := blocks[at]
		if c.Input[i].Offset == nil {
			r.Offset = b.Span.Next
		}
		if r.Offset < b.Span.Next {
			return nil, fmt.Errorf("input %d: offset: %d comes after %d of the same partition; let offsets rise",
				i+1, r.Offset, b.Span.Next-1)
		}
		if len(b.In) == 0 {
			b.Span.First = r.Offset
		}
		b.Span.Next = r.Offset + 1
		b.In, b.LastTimestamp, b.Received = append(b.In, r), r.Timestamp, b.Received+1
	}
	return blocks, nil
}

func (t *Tester) record(ctx context.Context, in *Record) (*kgo.Record, error) {
	r := &kgo.Record{Topic: in.Topic, Timestamp: time.UnixMilli(0)}
	if r.Topic == "" {
		r.Topic = t.topic
	}
	if in.Partition != nil {
		r.Partition = *in.Partition
	}
	if in.Offset != nil {
		r.Offset = *in.Offset
	}
	if in.Timestamp != nil {
		r.Timestamp = time.UnixMilli(*in.Timestamp)
	}
	for _, name := range sortedNames(in.Headers) {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: name, Value: []byte(in.Headers[name])})
	}
	formats := t.formats(r.Topic)
	var err error
	if r.Key, err = encode(ctx, &in.Key, formats.Key, true); err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	if r.Value, err = encode(ctx, &in.Value, formats.Value, false); err != nil {
		return nil, fmt.Errorf("value: %w", err)
	}
	return r, nil
}

// formats are how a topic's records are read.
func (t *Tester) formats(topic string) pipeline.Formats {
	for i := range t.cfg.Streams {
		if slices.Contains(t.cfg.Streams[i].Topics, topic) {
			return t.cfg.Streams[i].Decode
		}
	}
	return t.cfg.Decode
}

// encode writes an input: null is nil, text is taken byte for byte, anything else is written in the format.
func encode(ctx context.Context, n *yaml.Node, c codec.Config, key bool) ([]byte, error) {
	switch {
	case isNull(n):
		return nil, nil
	case isText(n):
		return []byte(n.Value), nil
	}
	text, err := appendJSON(nil, n)
	if err != nil || !hasSchema(c) {
		return text, err
	}
	var d document.Document
	if err := d.Parse(text); err != nil {
		return nil, err
	}
	encoders, err := codec.NewEncoder(c, codec.Use{Encode: true, Key: key}, nil)
	if err != nil {
		return nil, err
	}
	return encoders().Append(ctx, nil, &d, document.Root)
}

func hasSchema(c codec.Config) bool { return c.Schema != "" }

// decode reads an output that was written by a schema as JSON.
func decode(ctx context.Context, data []byte, c codec.Config, key bool) ([]byte, error) {
	decoders, err := codec.NewDecoder(c, codec.Use{Key: key}, nil)
	if err != nil {
		return nil, err
	}
	var d document.Document
	if err := decoders().Decode(ctx, &d, data); err != nil {
		return nil, err
	}
	return d.Append(nil, document.Root), nil
}
