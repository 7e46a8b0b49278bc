package pipeline

import (
	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/record"
)

// maxScratch is how many bytes of scratch memory a worker keeps from block to block. Without it one huge record would
// hold, in every worker that saw one, memory that no budget counts.
const maxScratch = 4 << 20

// copyShare is the part of the input, one in so many bytes, up to which outputs are copied instead of kept in place:
// one record that survives pins the whole decompressed fetch that it came with.
const copyShare = 4

// passThrough hands every record on as it is. The outputs pin what the input pinned, so the charge stays.
func passThrough(b *record.Block) {
	if len(b.In) > 0 {
		b.Out = make([]record.Output, len(b.In))
	}
	for i, r := range b.In {
		b.Out[i] = aliasing(r)
	}
	b.In = nil
}

// usage counts what records hold: payload, and with overheads.
type usage struct{ payload, charged int64 }

func (u *usage) add(r *kgo.Record) {
	n := record.Size(r)
	u.charged += n
	u.payload += n - record.RecordOverhead
}

// settle makes the block's outputs from what the records left in the worker, charges the block with what it now holds,
// and empties the worker.
func (w *Worker) settle(b *record.Block, in usage) {
	out := usage{charged: int64(len(b.Skipped)) * record.RecordOverhead}
	aliased := int64(0) // payload of the outputs that lies in input memory
	for i := range w.made {
		m := &w.made[i]
		out.add(m.source)
		aliased += record.Size(m.source) - record.RecordOverhead
		if m.start >= 0 {
			value := int64(len(m.source.Value))
			aliased -= value
			out.charged += int64(m.end-m.start) - value
		}
	}
	if len(w.made) > 0 {
		b.Out = make([]record.Output, len(w.made))
	}
	if w.chain.rebuild || aliased <= in.payload/copyShare {
		w.copyOut(b.Out, aliased)
	} else {
		for i := range w.made {
			b.Out[i] = aliasing(w.made[i].source)
		}
		out.charged = max(in.charged, out.charged)
	}
	// The input records go even if outputs alias their bytes: kgo allocates them in slabs, one for a whole fetched batch.
	b.In = nil
	b.Charge(record.BlockOverhead + out.charged - b.Bytes())
	w.release()
}

func aliasing(r *kgo.Record) record.Output {
	return record.Output{Key: r.Key, Value: r.Value, Headers: r.Headers, Timestamp: r.Timestamp, Offset: r.Offset}
}

// copyOut fills out with records that share no memory with the input: all bytes lie in one arena, all headers in one
// slice. aliased is the payload that is not in w.arena; the names of headers are a part of it, but kgo has copied them.
func (w *Worker) copyOut(out []record.Output, aliased int64) {
	count := 0
	for i := range w.made {
		count += len(w.made[i].source.Headers)
		for _, h := range w.made[i].source.Headers {
			aliased -= int64(len(h.Key))
		}
	}
	arena := append(make([]byte, 0, int64(len(w.arena))+aliased), w.arena...)
	headers := make([]kgo.RecordHeader, 0, count)
	keep := func(b []byte) []byte {
		if b == nil {
			return nil
		}
		start := len(arena)
		arena = append(arena, b...)
		return arena[start:len(arena):len(arena)]
	}
	for i := range w.made {
		m := &w.made[i]
		out[i] = aliasing(m.source)
		out[i].Key = keep(m.source.Key)
		if m.start >= 0 {
			out[i].Value = arena[m.start:m.end:m.end]
		} else {
			out[i].Value = keep(m.source.Value)
		}
		if m.source.Headers == nil {
			continue
		}
		start := len(headers)
		for _, h := range m.source.Headers {
			headers = append(headers, kgo.RecordHeader{Key: h.Key, Value: keep(h.Value)})
		}
		out[i].Headers = headers[start:len(headers):len(headers)]
	}
}

// release empties the worker for the next block. Without it an idle worker would pin the last fetch.
func (w *Worker) release() {
	clear(w.made)
	w.made, w.arena = w.made[:0], w.arena[:0]
	if cap(w.arena) > maxScratch {
		w.arena = nil
	}
	for i := range w.objects {
		if cap(w.objects[i]) > maxScratch {
			w.objects[i] = nil
		}
	}
	w.value, w.input.Source = nil, nil
	w.input.Value.Reset()
	w.eval.Reset()
}
