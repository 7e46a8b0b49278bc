package partitionstream

import (
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/kafka"
	"streamer/internal/record"
)

// opening is a stream's open block, as it was when it was opened.
type opening struct {
	stream *stream
	block  *record.Block
}

// receive appends what a poll brought and hands on the blocks that it filled.
func (a *Assignment) receive(fetches kgo.Fetches) {
	now := time.Now()
	var doubts []*kafka.PollError
	fetches.EachError(func(topic string, id int32, err error) {
		if doubt := a.pollError(partition{topic, id}, err); doubt != nil {
			doubts = append(doubts, doubt)
		}
	})
	brought := false
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		if len(p.Records) > 0 {
			brought = true
			a.append(partition{p.Topic, p.Partition}, p.Records, now)
		}
	})
	if brought {
		a.deps.Polled()
	}
	for _, d := range doubts {
		s := a.streams[partition{d.Topic, d.Partition}]
		switch {
		case s != nil:
			a.doubt(s, d)
		case d.Partition >= 0: // between two assignments: nobody takes what comes, and the next one resumes it
			a.client.PauseFetchPartitions(map[string][]int32{d.Topic: {d.Partition}})
		default:
			a.deps.Fail(d) // there is no place to look at
		}
	}
}

func (a *Assignment) append(p partition, records []*kgo.Record, now time.Time) {
	s := a.streams[p]
	if s == nil || s.draining || s.resetting || a.stopping {
		a.countFenced(len(records))
		return
	}
	if short := a.deps.ShortBatches(); short != s.short {
		if n := s.beforeGap(records); n < len(records) {
			defer a.doubt(s, errShort)
			records = records[:n]
		}
	}
	before := s.stats.records
	wasOpen, wasFinished := s.open, s.finished()
	cut := s.receive(records, now)
	if s.finished() {
		a.updateHurry() // before the last block can reach the batch that is to hurry
	}
	a.put(cut...)
	a.received.Add(s.stats.records - before)
	if s.open != nil && s.open != wasOpen {
		a.noteOpened(s)
	}
	if s.finished() && !wasFinished {
		a.pauseFetch(s) // or what lies past the end is fetched for nothing
	}
}

// noteOpened queues the stream's open block for its cut. Entries go stale when their block is cut for another reason;
// behind one that stays open for a long interval they would pile up, one for each poll.
func (a *Assignment) noteOpened(s *stream) {
	if len(a.opened) > 2*len(a.streams)+16 {
		a.opened = slices.DeleteFunc(a.opened, func(o opening) bool { return o.stream.open != o.block })
	}
	a.opened = append(a.opened, opening{s, s.open})
}

// put hands blocks to the pool.
func (a *Assignment) put(blocks ...*record.Block) {
	for _, b := range blocks {
		a.deps.Metrics.blocks.WithLabelValues(b.Cut.String()).Inc()
		a.deps.Metrics.blockRecords.Observe(float64(b.Received))
	}
	a.deps.Pool.Put(blocks...)
}

// nextCut is when the oldest open block comes due; false if the interval is 0 or no block is open.
func (a *Assignment) nextCut() (time.Time, bool) {
	if a.cfg.Interval == 0 {
		return time.Time{}, false
	}
	o, ok := a.oldestOpen()
	if !ok {
		return time.Time{}, false
	}
	return o.block.Opened.Add(time.Duration(a.cfg.Interval)), true
}

func (a *Assignment) oldestOpen() (opening, bool) {
	for len(a.opened) > 0 {
		if o := a.opened[0]; o.stream.open == o.block {
			return o, true
		}
		a.opened[0] = opening{}
		a.opened = a.opened[1:]
	}
	return opening{}, false
}

// cutDue closes the blocks whose interval is over.
func (a *Assignment) cutDue(now time.Time) {
	for {
		due, ok := a.nextCut()
		if !ok || due.After(now) {
			return
		}
		a.put(a.opened[0].stream.cut(record.ByInterval))
	}
}

// feedIdle closes open blocks, oldest first, for workers that have nothing to do, when the interval is 0: low latency
// without timers, and batching by itself once all workers are busy.
func (a *Assignment) feedIdle() {
	if a.cfg.Interval != 0 {
		return
	}
	for free := a.deps.Pool.Free(); free > 0; free-- {
		o, ok := a.oldestOpen()
		if !ok {
			return
		}
		a.put(o.stream.cut(record.ByIdle))
	}
}

// WorkerIdle tells the loop that a worker found no block. Any goroutine may call it; it does not block.
func (a *Assignment) WorkerIdle() {
	if a.cfg.Interval == 0 {
		a.mail.post(func() {})
	}
}
