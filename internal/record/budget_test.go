package record

import (
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSizeCountsWhatARecordHolds(t *testing.T) {
	t.Parallel()
	r := &kgo.Record{Key: make([]byte, 3), Value: make([]byte, 5), Headers: []kgo.RecordHeader{{Key: "ab", Value: []byte("c")}}}
	if n := Size(r); n != RecordOverhead+11 {
		t.Fatalf("size %d, want %d", n, RecordOverhead+11)
	}
}

func TestANotificationComesOncePerArming(t *testing.T) {
	t.Parallel()
	called := 0
	b := NewBudget(100, func() { called++ })
	account := b.NewAccount()
	if !b.Arm() {
		t.Fatal("an empty budget is not at low water")
	}
	account.add(200)
	account.add(-150)
	if called != 0 {
		t.Fatal("notified though nobody asked")
	}
	account.add(150)
	if b.Arm() {
		t.Fatal("200 of 100 bytes are at low water")
	}
	account.add(-99) // 101
	if called != 0 {
		t.Fatal("notified above low water")
	}
	account.add(-1)
	account.add(-1)
	if called != 1 {
		t.Fatalf("notified %d times, want once", called)
	}
}

// Whatever is charged, moved and released, twice or not: the account has what the living blocks hold, and 0 at the end.
func TestTheAccountIsTheSumOfItsBlocks(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := NewBudget(0, func() {})
		account := b.NewAccount()
		var blocks []*Block
		for range rapid.IntRange(0, 30).Draw(t, "steps") {
			switch rapid.IntRange(0, 2).Draw(t, "step") {
			case 0:
				block := &Block{}
				account.Open(block)
				blocks = append(blocks, block)
			case 1:
				if len(blocks) > 0 {
					block := rapid.SampledFrom(blocks).Draw(t, "block")
					block.Charge(rapid.Int64Range(-block.Bytes(), 1000).Draw(t, "bytes"))
				}
			case 2:
				if len(blocks) > 0 {
					rapid.SampledFrom(blocks).Draw(t, "block").Release()
				}
			}
			var sum int64
			for _, block := range blocks {
				sum += block.Bytes()
			}
			if account.Used() != sum || b.Used() != sum {
				t.Fatalf("account %d, budget %d, blocks %d", account.Used(), b.Used(), sum)
			}
		}
		for _, block := range blocks {
			block.Release()
			block.Release()
		}
		if b.Used() != 0 {
			t.Fatalf("%d bytes are left", b.Used())
		}
	})
}

// A release between the look at the level and the arming must not be missed: a paused partition would wait for ever.
func TestNoFallToLowWaterIsMissed(t *testing.T) {
	t.Parallel()
	woken := make(chan struct{}, 1)
	b := NewBudget(10, func() {
		select {
		case woken <- struct{}{}:
		default:
		}
	})
	account := b.NewAccount()
	for range 5000 {
		account.add(100)
		var release sync.WaitGroup
		release.Go(func() { account.add(-100) })
		if !b.Arm() {
			<-woken // hangs if it was missed
		}
		release.Wait()
		select {
		case <-woken:
		default:
		}
	}
}
