package streamer

import (
	"fmt"

	"streamer/internal/pipeline"
	"streamer/internal/record"
)

// breaker is the circuit breaker: it stops the service when most records fail, because then it is not the records that are
// wrong but the pipeline, and a whole topic would be skipped or dead-lettered. One goroutine uses it.
type breaker struct {
	limit  pipeline.CircuitBreaker
	last   []tally // a ring of the last batches that had records
	newest int
	sum    tally
}

// tally counts the records of one batch, or of several.
type tally struct{ records, failed int }

func newBreaker(limit pipeline.CircuitBreaker) *breaker { return &breaker{limit: limit} }

// BreakerError is why the circuit breaker stopped the service.
type BreakerError struct {
	Failed, Records, Batches int
	Limit                    pipeline.CircuitBreaker
	Last                     string // the last failure's reason, which holds no payload
}

func (e *BreakerError) Error() string {
	return fmt.Sprintf("%d of the last %d records failed, in %d batches: more than pipeline.circuit_breaker.percent (%d %%); "+
		"nothing of the last batch is committed; the last failure: %s; mend the pipeline or the producer, or set "+
		"pipeline.circuit_breaker.percent: 0 to go on all the same", e.Failed, e.Records, e.Batches, e.Limit.Percent, e.Last)
}

// count adds a batch before it is written. It returns a *[BreakerError] if too many records have failed.
func (b *breaker) count(batch *record.Batch) error { return b.tally(batch, b.advance) }

// recount counts the newest batch again, of which the sink has refused records.
func (b *breaker) recount(batch *record.Batch) error { return b.tally(batch, func() {}) }

// tally counts the batch in the newest place of the ring, after prepare. Batches without records have none.
func (b *breaker) tally(batch *record.Batch, prepare func()) error {
	now, last := tallyOf(batch)
	if b.limit.Percent == 0 || now.records == 0 {
		return nil
	}
	prepare()
	b.put(now)
	return b.verdict(now, last)
}

// advance makes the oldest place of the ring the newest.
func (b *breaker) advance() {
	if len(b.last) < b.limit.Batches {
		b.newest = len(b.last)
		b.last = append(b.last, tally{})
	} else {
		b.newest = (b.newest + 1) % len(b.last)
	}
}

func tallyOf(batch *record.Batch) (now tally, last string) {
	for _, block := range batch.Blocks {
		now.records += block.Received
		now.failed += block.Failed()
		if n := len(block.Dead); n > 0 {
			last = block.Dead[n-1].Reason()
		}
		if n := len(block.Skipped); n > 0 {
			last = block.Skipped[n-1].Reason()
		}
	}
	return now, last
}

// put makes now the newest batch's tally.
func (b *breaker) put(now tally) {
	before := &b.last[b.newest]
	b.sum.records += now.records - before.records
	b.sum.failed += now.failed - before.failed
	*before = now
}

func (b *breaker) verdict(now tally, last string) error {
	full := len(b.last) == b.limit.Batches && b.sum.records >= b.limit.MinRecords
	if !full || now.failed == 0 || b.sum.failed*100 <= b.sum.records*b.limit.Percent {
		return nil
	}
	return &BreakerError{Failed: b.sum.failed, Records: b.sum.records, Batches: len(b.last), Limit: b.limit, Last: last}
}
