package kafka

import (
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// FetchSizer is a hook of the source's client that keeps fetches small enough for the memory budget. kgo holds one
// unpacked fetch per broker beyond what was polled, and the same 50 MiB on the wire are 50 MiB or 5 GiB in memory,
// depending on compression and on how small the records are.
type FetchSizer struct {
	// mu is needed because kgo calls hooks from one goroutine per broker.
	mu     sync.Mutex
	model  *fetchModel
	client *kgo.Client
	last   fetchSize

	pacer fetchPacer
	short shortBatches
}

var (
	_ kgo.HookNewClient      = (*FetchSizer)(nil)
	_ kgo.HookFetchBatchRead = (*FetchSizer)(nil)
)

func newFetchSizer(budget int64) *FetchSizer {
	model := newFetchModel(budget)
	s := &FetchSizer{model: model, last: model.size()}
	// A fetch into an aborted transaction brings whole batches and no record.
	s.short.whole = s.Polled
	return s
}

// OnNewClient implements [kgo.HookNewClient].
func (s *FetchSizer) OnNewClient(client *kgo.Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.client = client
}

// OnFetchBatchRead implements [kgo.HookFetchBatchRead].
func (s *FetchSizer) OnFetchBatchRead(from kgo.BrokerMetadata, topic string, partition int32, batch kgo.FetchBatchMetrics) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.model.observe(from.NodeID, TopicPartition{topic, partition},
		batch.CompressedBytes, batch.UncompressedBytes, batch.NumRecords)
	s.apply()
}

// Forget drops partitions that were revoked or lost. Without it a partition that unpacks badly would keep the fetches of
// all others small after it has gone. Any goroutine may call it.
func (s *FetchSizer) Forget(gone map[string][]int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for topic, partitions := range gone {
		for _, partition := range partitions {
			s.model.forget(TopicPartition{topic, partition})
		}
	}
	s.apply()
}

// Polled notes that fetches lead somewhere: a poll brought records. Any goroutine may call it.
func (s *FetchSizer) Polled() { s.pacer.polls.Add(1) }

// ShortBatches counts batches of which fewer records could be read than they say they have; it is up to date with what has
// been polled. The client goes on behind them without a word. Any goroutine may call it.
func (s *FetchSizer) ShortBatches() uint64 { return s.short.count.Load() }

// Size returns the bytes that the next fetch asks for, in all and of one partition.
func (s *FetchSizer) Size() (bytes, partition int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last.bytes, s.last.partition
}

func (s *FetchSizer) apply() {
	size := s.model.size()
	if size == s.last || s.client == nil {
		return
	}
	s.last = size
	s.client.UpdateFetchMaxBytes(size.bytes, size.partition)
}
