package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/aggregate"
	"streamer/internal/expression"
	"streamer/internal/record"
)

// reduction is the second half of reduce_by_key: what is made of the groups of a batch.
type reduction struct {
	rows      *branch // encode and route of the rows
	columns   []column
	composite bool // the key is an object, whose fields become the row's
}

// The headers of a row.
const (
	HeaderBatch = "streamer-batch" // the batch's number in this run
	HeaderSpans = "streamer-spans" // {"topic": {"partition": [first, next]}}: the offsets that the row is made of
)

// rows compiles what follows reduce_by_key. All branches end in the same columns.
func (b *builder) reduction() {
	last := b.chain.rest
	b.now = &branch{decode: formats{
		key: format{name: formatJSON, plain: true}, value: format{name: formatJSON, plain: true},
	}}
	b.now.out.made, b.now.out.keyed = true, true
	b.scope, b.rows, b.unsure = expression.Scope{Value: expression.Fields}, nil, false
	b.now.out.encode = b.encode
	b.now.out.value = b.finishValue(&b.now.decode.value, &b.encode.value)
	b.now.out.key = b.finishKey(&b.now.decode.key, &b.encode.key)
	b.now.out.route = b.route(&b.config.Route)
	for path, program := range b.now.out.route.programs() {
		if slices.ContainsFunc(program.Fields(), func(f string) bool { return strings.HasPrefix(f, "meta.") }) {
			b.fault(path, program.String(), "reads meta, which a record of many records does not have; use the row's fields")
		}
	}
	b.chain.reduced = &reduction{rows: b.now, columns: last.columns, composite: last.out.composite}
}

// Reducer makes the rows of aggregated batches. It belongs to one goroutine.
type Reducer struct {
	reduction *reduction
	worker    *Worker
	onError   OnError
}

// NewReducer makes a reducer for the batches of the chain; nil if the chain does not aggregate.
func (c *Chain) NewReducer(ctx context.Context) *Reducer {
	if c.reduced == nil {
		return nil
	}
	return &Reducer{reduction: c.reduced, worker: c.NewWorker(ctx), onError: c.onError}
}

// Reduce merges the partial aggregates of a batch over all partitions and puts the rows, ordered by their key, into a block
// of their own behind the others. That block has no owner and no span: it is made of all of them. A row that cannot be
// written is a failure of the whole batch: it has no record to skip, and without it its records would be lost.
func (r *Reducer) Reduce(b *record.Batch) error {
	sum := aggregate.NewTable(functionsOf(r.reduction.columns))
	var last time.Time
	for _, block := range b.Blocks {
		if block.LastTimestamp.After(last) {
			last = block.LastTimestamp
		}
		if p, ok := block.Partial.(*partial); ok {
			sum.Merge(p.table)
			block.Charge(-p.Bytes())
			block.Partial = nil
		}
	}
	rows := &record.Block{Opened: b.Opened}
	if err := r.fill(rows, sum, &kgo.Record{Timestamp: last, Partition: -1, Offset: -1, Headers: headersOf(b)}); err != nil {
		return err
	}
	b.Blocks = append(b.Blocks, rows)
	b.Records = len(rows.Out)
	return nil
}

func (r *Reducer) fill(rows *record.Block, sum *aggregate.Table, source *kgo.Record) error {
	w := r.worker
	w.enter(r.reduction.rows)
	defer w.release()
	w.input.Source = source
	for _, group := range sum.Sorted() {
		w.hand = hand{keyed: true}
		w.key = append(w.key[:0], sum.Key(group)...)
		w.made(r.row(w.blank(), sum, group))
		if failure := w.emit(); failure != nil {
			return fmt.Errorf("write a row of reduce_by_key: %s", failure.Reason())
		}
	}
	w.fill(rows, 0, false)
	return nil
}

// row is the object of one group: its key, or the fields of a composite one, and the results.
func (r *Reducer) row(dst []byte, sum *aggregate.Table, group int) []byte {
	key := sum.Key(group)
	if r.reduction.composite {
		dst = append(dst, key[:len(key)-1]...)
	} else {
		dst = append(append(dst, `{"key":`...), key...)
	}
	for i := range r.reduction.columns {
		dst = append(append(dst, ','), r.reduction.columns[i].prefix...)
		dst = sum.AppendResult(dst, group, i)
	}
	return append(dst, '}')
}

func headersOf(b *record.Batch) []kgo.RecordHeader {
	spans := make(map[string]map[string][2]int64)
	for owner, span := range b.Spans {
		if spans[owner.Topic] == nil {
			spans[owner.Topic] = make(map[string][2]int64)
		}
		spans[owner.Topic][strconv.Itoa(int(owner.Partition))] = [2]int64{span.First, span.Next}
	}
	text, err := json.Marshal(spans)
	if err != nil {
		panic(err) // strings and numbers
	}
	return []kgo.RecordHeader{
		{Key: HeaderBatch, Value: strconv.AppendUint(nil, b.ID, 10)},
		{Key: HeaderSpans, Value: text},
	}
}
