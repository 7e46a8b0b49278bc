package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Producer writes a run's records to a topic. Its methods are called by one goroutine at a time.
type Producer struct {
	Topic string
	Run   string
	// Pad makes values longer; it must need no quoting in JSON.
	Pad string
	// Remember keeps what the broker acknowledged, for [Producer.Acknowledged]: a topic that is cut, or deleted, does not
	// hold it any more.
	Remember bool

	client *kgo.Client
	next   []int64 // next sequence number by partition

	mu           sync.Mutex // guards what follows, which the client's goroutine adds to
	acknowledged map[int32][]Stored
}

// NewProducer makes a producer for the partitions from 0 up to the given number. The client must have been made with
// [ProducerOpts].
func NewProducer(client *kgo.Client, topic, run string, partitions int) *Producer {
	return &Producer{Topic: topic, Run: run, client: client, next: make([]int64, partitions)}
}

// ProducerOpts let the producer choose partitions and fill batches.
func ProducerOpts() []kgo.Opt {
	const linger = 5 * time.Millisecond
	return []kgo.Opt{
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		// Docker's proxy ends connections politely while the broker behind it starts.
		kgo.AlwaysRetryEOF(),
		kgo.ProducerLinger(linger),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()),
		kgo.MaxBufferedRecords(100_000), //nolint:mnd // 20 MB
	}
}

// Grow adds partitions, as when the topic has got more.
func (p *Producer) Grow(partitions int) {
	p.next = append(p.next, make([]int64, partitions-len(p.next))...)
}

// Use lets the producer go on with another client.
func (p *Producer) Use(client *kgo.Client) { p.client = client }

// Record makes the partition's next record.
func (p *Producer) Record(partition int32) *kgo.Record {
	id := ID{Partition: partition, Seq: p.next[partition]}
	p.next[partition]++
	return &kgo.Record{Topic: p.Topic, Partition: partition, Key: []byte(id.Key()), Value: id.Value(p.Run, p.Pad)}
}

// Fill writes counts[i] records to partition i, in turn, and returns when the broker has them all.
func (p *Producer) Fill(ctx context.Context, counts ...int) error {
	var promise kgo.FirstErrPromise
	left := true
	for round := 0; left; round++ {
		left = false
		for partition, count := range counts {
			if round >= count {
				continue
			}
			left = true
			p.client.Produce(ctx, p.Record(int32(partition)), p.remembered(promise.Promise()))
		}
	}
	if err := promise.Err(); err != nil {
		return fmt.Errorf("produce to %s: %w", p.Topic, err)
	}
	return nil
}

// remembered is a promise that notes what was acknowledged, if that is wanted. Sequence numbers are read from the values.
func (p *Producer) remembered(promise func(*kgo.Record, error)) func(*kgo.Record, error) {
	if !p.Remember {
		return promise
	}
	return func(r *kgo.Record, err error) {
		if err == nil {
			p.remember(r)
		}
		promise(r, err)
	}
}

func (p *Producer) remember(r *kgo.Record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.acknowledged == nil {
		p.acknowledged = make(map[int32][]Stored)
	}
	reader := Reader{Run: p.Run}
	id, err := reader.Read(r.Value)
	if err != nil {
		panic(err) // it is our own
	}
	p.acknowledged[r.Partition] = append(p.acknowledged[r.Partition], Stored{Offset: r.Offset, ID: id})
}

// Acknowledged returns what the broker has acknowledged, by partition and in offset order.
func (p *Producer) Acknowledged() map[int32][]Stored {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make(map[int32][]Stored, len(p.acknowledged))
	for partition, records := range p.acknowledged {
		records = slices.Clone(records)
		slices.SortFunc(records, func(a, b Stored) int { return cmp.Compare(a.Offset, b.Offset) })
		all[partition] = records
	}
	return all
}

// Each returns n counts of the same size, for Fill.
func Each(partitions, count int) []int {
	counts := make([]int, partitions)
	for i := range counts {
		counts[i] = count
	}
	return counts
}

// Stream writes burst records to every partition again and again, with a pause between, until ctx ends; then it waits
// until the broker has what was written.
func (p *Producer) Stream(ctx context.Context, burst int, pause time.Duration) error {
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		// What was begun is finished: an aborted write could be in the topic or not.
		if err := p.Fill(context.WithoutCancel(ctx), Each(len(p.next), burst)...); err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return nil
			}
			return fmt.Errorf("produce to %s: %w", p.Topic, ctx.Err())
		}
	}
}
