package kafka

import (
	"testing"

	"pgregory.net/rapid"
)

// unpacks is what a fetch of wire bytes becomes at a blow-up.
func unpacks(size fetchSize, blowUp float64) float64 { return float64(size.bytes) * blowUp }

// blowUpOf repeats the definition: bytes in memory per byte on the wire.
func blowUpOf(packed, unpacked, records int) float64 {
	return float64(unpacked+200*records) / float64(packed+61)
}

func TestFetchSizeStartsPessimistic(t *testing.T) {
	t.Parallel()
	for budget, want := range map[int64]fetchSize{
		64 << 20: {bytes: 16 << 10, partition: 16 << 10},
		1 << 30:  {bytes: 256 << 10, partition: 256 << 10},
	} {
		if got := newFetchModel(budget).size(); got != want {
			t.Errorf("budget %d: %+v, want %+v", budget, got, want)
		}
	}
}

func TestFetchSizeGrowsWithPlainData(t *testing.T) {
	t.Parallel()
	model := newFetchModel(1 << 30)
	for range 64 {
		model.observe(1, TopicPartition{"t", 0}, 1<<20, 1<<20, 1000) // 1 KiB records, not compressed: 1.19
	}
	got := model.size()
	if unpacks := unpacks(got, blowUpOf(1<<20, 1<<20, 1000)); unpacks > mostUnpacked || unpacks < 0.99*mostUnpacked {
		t.Errorf("after 64 MiB of plain data a fetch unpacks to %.0f, want %d", unpacks, mostUnpacked)
	}
	if got.partition != mostPartitionFetch {
		t.Errorf("after 64 MiB of plain data: %+v", got)
	}
}

// A quiet partition at 100:1 must not be forgotten while a busy one at 1:1 talks.
func TestFetchSizeRemembersTheWorstPartition(t *testing.T) {
	t.Parallel()
	const budget = 256 << 20
	model := newFetchModel(budget)
	bomb, plain := TopicPartition{"t", 0}, TopicPartition{"t", 1}
	model.observe(1, bomb, 10_000, 1_000_000, 1000)
	for range 1000 {
		model.observe(1, plain, 1<<20, 1<<20, 1000)
	}
	if got, limit := unpacks(model.size(), blowUpOf(10_000, 1_000_000, 1000)), float64(budget/fetchShare); got > limit {
		t.Errorf("a fetch of the quiet partition would unpack to %.0f, over %.0f", got, limit)
	}
	before := model.size()
	model.forget(bomb)
	if after := model.size(); after.bytes <= before.bytes {
		t.Errorf("after the partition has gone: %+v, before %+v", after, before)
	}
}

func TestFetchSizeSharesBetweenBrokers(t *testing.T) {
	t.Parallel()
	model := newFetchModel(64 << 20)
	for node := range int32(4) {
		for range 64 {
			model.observe(node, TopicPartition{"t", node}, 1<<20, 1<<20, 1000)
		}
	}
	if got := int64(model.size().bytes) * 4; got > 64<<20/fetchShare {
		t.Errorf("four brokers' fetches ask for %d in all", got)
	}
}

// Whatever was seen: the next fetch is within bounds, and of the partition seen last it unpacks to no more than its
// share, unless it is the smallest fetch already.
func TestFetchSizeProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		budget := rapid.Int64Range(64<<20, 64<<30).Draw(t, "budget")
		model := newFetchModel(budget)
		for range rapid.IntRange(1, 60).Draw(t, "batches") {
			node := rapid.Int32Range(0, 5).Draw(t, "node")
			from := TopicPartition{"t", rapid.Int32Range(0, 3).Draw(t, "partition")}
			packed := rapid.IntRange(0, 1<<20).Draw(t, "packed")
			unpacked := packed * rapid.IntRange(1, 200).Draw(t, "compression")
			records := rapid.IntRange(0, unpacked/7).Draw(t, "records")
			if rapid.IntRange(0, 9).Draw(t, "forget") == 0 {
				model.forget(from)
				continue
			}
			model.observe(node, from, packed, unpacked, records)
			size := model.size()
			if size.bytes < leastFetch || size.bytes > mostUnpacked || size.partition < leastFetch ||
				size.partition > min(size.bytes, mostPartitionFetch) {
				t.Fatalf("out of bounds: %+v", size)
			}
			share := float64(budget/fetchShare) / float64(len(model.nodes))
			if got := unpacks(size, blowUpOf(packed, unpacked, records)); size.bytes > leastFetch && got > share+1 {
				t.Fatalf("unpacks to %.0f, share is %.0f", got, share)
			}
		}
		worst := 0.0
		for _, blowUp := range model.blowUp {
			worst = max(worst, blowUp)
		}
		if worst != model.worst {
			t.Fatalf("worst is kept as %f, is %f", model.worst, worst)
		}
	})
}

func TestMaxDecompress(t *testing.T) {
	t.Parallel()
	for budget, want := range map[int64]int{32 << 20: 16 << 20, 1 << 30: 256 << 20, 1 << 40: 1<<31 - 1} {
		if got := maxDecompress(budget); got != want {
			t.Errorf("maxDecompress(%d) = %d, want %d", budget, got, want)
		}
	}
}
