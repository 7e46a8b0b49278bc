package kafka

import (
	"math"

	"streamer/internal/record"
)

// The bounds of a fetch request, and how the estimate of what it unpacks to moves.
const (
	// leastFetch is below most batches: the broker then sends one batch at a time, which it does under any limit.
	leastFetch = 1 << 10
	// mostPartitionFetch keeps one partition's share of a fetch in a core's cache.
	mostPartitionFetch = 1 << 20
	// fetchShare is the part of the budget that fetches not polled yet may unpack to, over all brokers. They are not
	// counted by the budget, which begins at the poll.
	fetchShare = 8
	// mostUnpacked is what one broker's fetch may unpack to however large the budget is: the one that was polled and the
	// one that waits then stay well below the heap's floor. With 8 MiB on the wire a record of 100 B cost half as much
	// again, because the collector ran more often and found more that lived, and the process took twice the memory.
	mostUnpacked = 8 << 20
	// partitionShare bounds what a partition whose data nobody has seen yet can bring in one fetch: of a budget of 64 MiB
	// 64 KiB, which at 100:1 unpack to 6 MiB; of a gibibyte the full mostPartitionFetch.
	partitionShare = 1024
	// batchHeader is a v2 batch's header on the wire; the client's figures leave it out, the broker's limits count it.
	batchHeader = 61
	// firstBlowUp is the estimate before any data: 10-byte records (13 bytes in memory for each on the wire) compressed
	// 40:1. With a budget of 64 MiB the first fetch is 16 KiB.
	firstBlowUp = 512
	// firstDecay is how many bytes from any partition bring the first estimate down to a third. At 64 MiB it takes 128
	// fetches to forget it, at a gibibyte 8.
	firstDecay = 2 << 20
	// blowUpDecay is how many bytes of its own bring a partition's estimate two thirds of the way to what it is now. A
	// partition that compresses well in bursts is so sized for the bursts.
	blowUpDecay = 16 << 20
	// decompressShare of the budget is the largest batch that is unpacked at all, but leastDecompress in any case: a
	// producer's batch is a mebibyte by default, whatever it compresses to.
	decompressShare = 4
	leastDecompress = 16 << 20
)

// fetchSize is what a fetch request asks for.
type fetchSize struct {
	bytes     int32 // in all
	partition int32 // of one partition
}

// fetchModel estimates how many bytes of memory a byte on the wire becomes, and from that how much one fetch may ask
// for, so that one fetch of each broker unpacks to at most mostUnpacked, and all of them to the budget divided by
// fetchShare. Pure; one goroutine at a time.
//
// A broker returns the first batch of a fetch whole, whatever the limits say; only maxDecompress bounds that one.
type fetchModel struct {
	budget int64
	nodes  map[int32]struct{}
	first  float64
	// blowUp holds a partition's estimate: up at once, down slowly. Partitions are told apart because a quiet one at
	// 100:1 would otherwise be forgotten while a busy one at 1:1 talks, and then arrive in a fetch sized for 1:1.
	blowUp map[TopicPartition]float64
	worst  float64
}

func newFetchModel(budget int64) *fetchModel {
	return &fetchModel{
		budget: budget,
		nodes:  make(map[int32]struct{}),
		first:  firstBlowUp,
		blowUp: make(map[TopicPartition]float64),
	}
}

// observe takes in one fetched batch: bytes as they came, bytes unpacked, records in it.
func (m *fetchModel) observe(node int32, from TopicPartition, packed, unpacked, records int) {
	m.nodes[node] = struct{}{}
	wire := float64(packed + batchHeader)
	now := float64(unpacked+records*record.RecordOverhead) / wire
	m.first *= math.Exp(-wire / firstDecay)
	before, known := m.blowUp[from]
	after := now
	if known && now < before {
		after = now + (before-now)*math.Exp(-wire/blowUpDecay)
	}
	m.blowUp[from] = after
	switch {
	case after >= m.worst:
		m.worst = after
	case before >= m.worst:
		m.findWorst()
	}
}

// forget drops a partition that is not consumed any more.
func (m *fetchModel) forget(gone TopicPartition) {
	delete(m.blowUp, gone)
	m.findWorst()
}

func (m *fetchModel) findWorst() {
	m.worst = 0
	for _, blowUp := range m.blowUp {
		m.worst = max(m.worst, blowUp)
	}
}

// size is what the next fetch may ask for.
func (m *fetchModel) size() fetchSize {
	worst := max(1, m.worst)
	share := float64(m.budget/fetchShare) / float64(max(1, len(m.nodes)))
	bytes := min(mostUnpacked/worst, share/max(worst, m.first))
	size := fetchSize{bytes: int32(max(leastFetch, bytes))}
	size.partition = min(size.bytes, int32(min(mostPartitionFetch, max(leastFetch, m.budget/partitionShare))))
	return size
}

// maxDecompress is the most bytes that one batch may unpack to before the partition stops with an error.
func maxDecompress(budget int64) int {
	return int(min(math.MaxInt32, max(leastDecompress, budget/decompressShare)))
}
