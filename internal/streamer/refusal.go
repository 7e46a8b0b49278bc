package streamer

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"streamer/internal/batcher"
	"streamer/internal/kafka"
	"streamer/internal/pipeline"
	"streamer/internal/processor"
	"streamer/internal/record"
	"streamer/internal/sink"
)

// refusals applies pipeline.on_error to the records that the sink refuses. The delivery's goroutine uses it.
type refusals struct {
	onError  pipeline.OnError
	original func(context.Context, record.Owner, int64) (record.DeadLetter, error)
	failed   func(class, action string)
	log      *failureLog
}

func (s *Service) newRefusals(metrics *processor.Metrics) *refusals {
	from := &originals{lookups: s.lookups, source: s.cfg.Source.Kafka, log: s.log}
	return &refusals{
		onError: s.cfg.Pipeline.OnError, original: from.read, failed: metrics.Failed, log: &failureLog{log: s.log},
	}
}

// settle deals with each refused record, so that the batch can be written again without it. It returns true if one of them
// is to stop the service: then its partition ends before it in the batch.
func (r *refusals) settle(ctx context.Context, b *record.Batch, rejected *sink.RejectedError) (stops bool, err error) {
	for i := range rejected.Records {
		refused := &rejected.Records[i]
		if refused.Index >= refused.Block.Len() {
			continue // behind a record that ended the partition: it is not delivered, nor anything else now
		}
		failure := record.Failure{Offset: refused.Offset, Class: record.ClassRejected, Step: "sink", Err: refused.Err}
		if refused.TooLarge {
			failure.Class = record.ClassTooLarge
		}
		action := r.onError.Policy(failure.Class)
		switch action {
		case pipeline.Skip:
			r.skip(refused.Block, failure)
		case pipeline.DeadLetter:
			if err = r.bury(ctx, refused.Block, failure); err != nil {
				return stops, err
			}
		default:
			r.failed(failure.Class, action)
			batcher.Truncate(b, refused.Block.Owner, refused.Offset)
			stops = true
			continue
		}
		refused.Block.Refuse(refused.Index)
		b.Records--
	}
	return stops, nil
}

// skip notes among the block's skipped records, in its place by offset, the one that the refused output comes from. A record
// of several outputs is there once: the circuit breaker and the totals count records.
func (r *refusals) skip(block *record.Block, failure record.Failure) {
	at, found := slices.BinarySearchFunc(block.Skipped, failure.Offset, func(f record.Failure, offset int64) int {
		return cmp.Compare(f.Offset, offset)
	})
	if found {
		return
	}
	r.failed(failure.Class, pipeline.Skip)
	r.log.skipped(block.Owner, []record.Failure{failure}, time.Now())
	block.Skipped = slices.Insert(block.Skipped, at, failure)
}

// bury puts the record as it came among the block's dead letters, in its place by offset. A record that came to several
// outputs is there once.
func (r *refusals) bury(ctx context.Context, block *record.Block, failure record.Failure) error {
	at, found := slices.BinarySearchFunc(block.Dead, failure.Offset, func(d record.DeadLetter, offset int64) int {
		return cmp.Compare(d.Offset, offset)
	})
	if found {
		return nil
	}
	letter, err := r.original(ctx, block.Owner, failure.Offset)
	if err != nil {
		return err
	}
	r.failed(failure.Class, pipeline.DeadLetter)
	letter.Failure, letter.Owner = failure, block.Owner
	block.Dead = slices.Insert(block.Dead, at, letter)
	block.Charge(letter.Size())
	return nil
}

// originals reads records again that were let go of when they were processed.
type originals struct {
	lookups *kafka.Admin
	source  kafka.SourceConfig
	log     *slog.Logger
}

// How often a record is tried to be read again while the brokers do not answer.
const originalEvery = time.Second

// read returns the record as it came. It waits for the brokers until ctx ends. A record that has left the log meanwhile is
// an error: nothing would be left of it.
func (o *originals) read(ctx context.Context, owner record.Owner, offset int64) (record.DeadLetter, error) {
	at := kafka.TopicPartition{Topic: owner.Topic, Partition: owner.Partition}
	for {
		r, err := o.lookups.Record(ctx, o.source, at, offset)
		if err == nil {
			return record.DeadLetter{Key: r.Key, Value: r.Value, Headers: r.Headers, Timestamp: r.Timestamp}, nil
		}
		if _, gone := errors.AsType[*kafka.GoneError](err); gone || ctx.Err() != nil {
			return record.DeadLetter{}, err
		}
		o.log.Warn("reading a refused record again for its dead letter failed; trying again", "record", owner.String(),
			"offset", offset, "error", err)
		select {
		case <-time.After(originalEvery):
		case <-ctx.Done():
			return record.DeadLetter{}, ctx.Err()
		}
	}
}
