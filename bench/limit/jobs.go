package main

import (
	"context"
	"fmt"
	"strconv"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/valyala/fastjson"
)

// count looks at every record and writes nothing.
type count struct{ bytes int64 }

func (c *count) take(records []*kgo.Record) error {
	for _, r := range records {
		c.bytes += int64(len(r.Key) + len(r.Value))
	}
	return nil
}

func (*count) tick() error                  { return nil }
func (*count) finish(context.Context) error { return nil }

// producer hands records to the client, and remembers the first that did not arrive.
type producer struct {
	client *kgo.Client
	topic  string

	mu  sync.Mutex
	err error
}

func (p *producer) produce(r *kgo.Record) {
	r.Topic = p.topic
	p.client.Produce(context.Background(), r, p.done)
}

func (p *producer) done(_ *kgo.Record, err error) {
	if err != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.err = err
	}
}

func (p *producer) failed() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

func (p *producer) finish(ctx context.Context) error {
	if err := p.client.Flush(ctx); err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	if err := p.failed(); err != nil {
		return fmt.Errorf("produce to %s: %w", p.topic, err)
	}
	return nil
}

// filterMap keeps views after a time and writes two of their fields, each record to the partition that it came from. The
// values of a poll's partition lie in one arena and its records in one slab.
type filterMap struct {
	after  int64
	out    *producer
	parser fastjson.Parser
	seen   int64 // in all takes
	kept   int64
	bytes  int64
}

func (f *filterMap) take(records []*kgo.Record) error {
	arena := make([]byte, 0, f.guess(len(records), f.bytes))
	slab := make([]kgo.Record, 0, f.guess(len(records), f.kept))
	f.seen += int64(len(records))
	for _, r := range records {
		start := len(arena)
		var keep bool
		var err error
		if arena, keep, err = f.convert(arena, r.Value); err != nil {
			return fmt.Errorf("convert record %d of partition %d: %w", r.Offset, r.Partition, err)
		}
		if !keep {
			continue
		}
		f.kept++
		f.bytes += int64(len(arena) - start)
		if len(slab) == cap(slab) { // the client has pointers into the old one
			slab = make([]kgo.Record, 0, 64)
		}
		slab = append(slab, kgo.Record{
			Partition: r.Partition, Key: r.Key, Value: arena[start:len(arena):len(arena)],
			Headers: r.Headers, Timestamp: r.Timestamp,
		})
		f.out.produce(&slab[len(slab)-1])
	}
	return f.out.failed()
}

// guess is how much of something n records will need, going by what came of all records before, and an eighth more.
func (f *filterMap) guess(n int, sum int64) int {
	if f.seen == 0 {
		return n
	}
	each := float64(sum) / float64(f.seen)
	return int(float64(n)*each*9/8) + 64
}

// convert appends the new value to dst if the event is wanted.
func (f *filterMap) convert(dst, value []byte) (_ []byte, keep bool, err error) {
	event, err := f.parser.ParseBytes(value)
	if err != nil {
		return dst, false, fmt.Errorf("parse event: %w", err)
	}
	if string(event.GetStringBytes("event_type")) != "view" {
		return dst, false, nil
	}
	at := event.GetInt64("event_time")
	if at <= f.after {
		return dst, false, nil
	}
	dst = append(append(dst, `{"ad_id":"`...), event.GetStringBytes("ad_id")...) // ids need no escapes
	dst = strconv.AppendInt(append(dst, `","event_time":`...), at, 10)
	return append(dst, '}'), true, nil
}

func (*filterMap) tick() error { return nil }

func (f *filterMap) finish(ctx context.Context) error { return f.out.finish(ctx) }
