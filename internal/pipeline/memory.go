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
func passThrough(b *record.Block) { b.In, b.Through = nil, b.In }

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
	charged := int64(len(b.Skipped))*record.RecordOverhead + keepDead(b.Dead)
	if w.branch.columns != nil {
		p := &partial{table: w.group}
		b.Partial, w.group = p, nil
		charged += p.Bytes()
	} else {
		outputs := w.weigh()
		if outputs.aliased <= in.payload/copyShare {
			w.fill(b, outputs.aliased, true)
			charged += outputs.charged
		} else {
			w.fill(b, 0, false)
			charged += max(in.charged, outputs.charged)
		}
	}
	// The input records go even if outputs alias their bytes: kgo allocates them in slabs, one for a whole fetched batch.
	b.In = nil
	b.Charge(record.BlockOverhead + charged - b.Bytes())
	w.release()
}

// keepDead copies the dead letters out of the fetched memory, and returns their size.
func keepDead(dead []record.DeadLetter) (size int64) {
	for i := range dead {
		size += dead[i].Size()
		dead[i].Keep()
	}
	return size
}

// weight is what outputs hold.
type weight struct {
	aliased int64 // payload that lies in input memory, if it is not copied
	charged int64 // everything, with overheads
}

func (w *Worker) weigh() weight {
	var sum weight
	for i := range w.emitted {
		e := &w.emitted[i]
		mine, theirs := 0, 0 // bytes in the arena, and in the input
		mine, theirs = e.value.add(mine, theirs, e.source.Value)
		mine, theirs = e.key.add(mine, theirs, e.source.Key)
		if e.headers == own {
			for _, h := range e.source.Headers {
				theirs += len(h.Key) + len(h.Value)
			}
		} else {
			for _, h := range w.headers[e.headers.start:e.headers.end] {
				mine, theirs = h.at.add(mine+len(h.name), theirs, h.value)
			}
		}
		sum.aliased += int64(theirs)
		sum.charged += int64(record.RecordOverhead + mine + theirs)
	}
	return sum
}

// add counts the extent's bytes to the arena's or to the input's.
func (x extent) add(mine, theirs int, source []byte) (sumMine, sumTheirs int) {
	switch x {
	case own:
		return mine, theirs + len(source)
	case absent:
		return mine, theirs
	}
	return mine + x.end - x.start, theirs
}

// filler makes outputs: what was made lies in one arena, all new headers in one slice.
type filler struct {
	arena   record.Arena
	headers []kgo.RecordHeader
	copies  bool // what lies in the input is copied too
}

func (f *filler) bytes(x extent, source []byte) []byte {
	switch {
	case x == absent:
		return nil
	case x != own && x.start == x.end:
		return []byte{} // of an arena without a byte a slice would be nil: a tombstone, or no key
	case x != own:
		return f.arena[x.start:x.end:x.end]
	case f.copies:
		return f.arena.Copy(source)
	}
	return source
}

// fill makes the block's outputs. With copies they share no memory with the input; aliased is then the payload that has
// to be copied, header names included, which kgo has copied already.
func (w *Worker) fill(b *record.Block, aliased int64, copies bool) {
	if len(w.emitted) == 0 {
		return
	}
	b.Out = make([]record.Output, len(w.emitted))
	count := len(w.headers)
	for i := range w.emitted {
		if e := &w.emitted[i]; copies && e.headers == own {
			count += len(e.source.Headers)
		}
	}
	f := filler{copies: copies, headers: make([]kgo.RecordHeader, 0, count)}
	if room := int64(len(w.arena)) + aliased; room > 0 {
		f.arena = append(make(record.Arena, 0, room), w.arena...)
	}
	for i := range w.emitted {
		e := &w.emitted[i]
		b.Out[i] = record.Output{
			Key: f.bytes(e.key, e.source.Key), Value: f.bytes(e.value, e.source.Value), Headers: w.fillHeaders(&f, e),
			Timestamp: e.timestamp, Offset: e.source.Offset, To: e.to,
		}
	}
}

func (w *Worker) fillHeaders(f *filler, e *emitted) []kgo.RecordHeader {
	start := len(f.headers)
	switch {
	case e.headers != own:
		for _, h := range w.headers[e.headers.start:e.headers.end] {
			f.headers = append(f.headers, kgo.RecordHeader{Key: h.name, Value: f.bytes(h.at, h.value)})
		}
	case !f.copies || e.source.Headers == nil:
		return e.source.Headers
	default:
		for _, h := range e.source.Headers {
			f.headers = append(f.headers, kgo.RecordHeader{Key: h.Key, Value: f.bytes(own, h.Value)})
		}
	}
	return f.headers[start:len(f.headers):len(f.headers)]
}

// release empties the worker for the next block. Without it an idle worker would pin the last fetch.
func (w *Worker) release() {
	w.undo(mark{})
	if cap(w.arena) > maxScratch {
		w.arena = nil
	}
	for _, scratch := range []*[]byte{&w.objects[0], &w.objects[1], &w.key, &w.text} {
		if cap(*scratch) > maxScratch {
			*scratch = nil
		}
	}
	for i := range w.lists {
		if cap(w.lists[i].text) > maxScratch {
			w.lists[i].text = nil
		}
		w.lists[i].value.Reset()
	}
	w.hand, w.input.Source = hand{}, nil
	w.input.Value.Reset()
	w.input.Key.Reset()
	clear(w.input.Joined)
	clear(w.tables)
	clear(w.results)
	w.eval.Reset()
}
