package kafka

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestShortBatchesAreCounted(t *testing.T) {
	t.Parallel()
	b := shortBatches{whole: func() {}}
	took := func(n int) { b.OnFetchBatchRead(kgo.BrokerMetadata{}, "t", 0, kgo.FetchBatchMetrics{NumRecords: n}) }
	for _, step := range []struct {
		asked []int
		took  []int
		want  uint64
	}{
		{[]int{5}, []int{5}, 0},
		{[]int{5, 5, 7}, []int{7, 5, 5}, 0}, // of several brokers at once
		{nil, []int{0, 3}, 0},               // refused before, or of an old format
		{[]int{5}, []int{4}, 1},
		{[]int{9, 2}, []int{2, 0}, 2},
		{[]int{10, 20}, []int{7, 20}, 3}, // the next larger one, or the whole one behind would miss its own
	} {
		for _, n := range step.asked {
			b.GetRecords(n)
		}
		for _, n := range step.took {
			took(n)
		}
		if got := b.count.Load(); got != step.want || len(b.asked) > 0 {
			t.Fatalf("%v, then %v: counts %d, want %d; left %v", step.asked, step.took, got, step.want, b.asked)
		}
	}
}

// A batch that was read whole is progress, also if nobody is given its records: those of an aborted transaction.
func TestWholeBatchesAreProgress(t *testing.T) {
	t.Parallel()
	s := newFetchSizer(64 << 20)
	for range 10 * mostEarly {
		s.short.GetRecords(5)
		s.short.OnFetchBatchRead(kgo.BrokerMetadata{}, "t", 0, kgo.FetchBatchMetrics{NumRecords: 5})
		if pause := s.pacer.pause(1, 0); pause != 0 {
			t.Fatalf("waits %s", pause)
		}
	}
}

// Each broker has a pace of its own, and only answers that come early and bring nothing slow it down.
func TestFetchesThatLeadNowhereArePaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p fetchPacer
		answer := func(node int32, key kmsg.Key, took time.Duration) time.Duration {
			began := time.Now()
			p.OnBrokerRead(kgo.BrokerMetadata{NodeID: node}, int16(key), 100, took, 0, nil)
			return time.Since(began)
		}
		for i := range mostEarly {
			if pause := answer(1, kmsg.Fetch, time.Millisecond); pause != 0 {
				t.Fatalf("answer %d waits %s", i, pause)
			}
		}
		for _, test := range []struct {
			name string
			node int32
			key  kmsg.Key
			took time.Duration
			want time.Duration
		}{
			{"another request", 1, kmsg.Metadata, 0, 0},
			{"another broker", 2, kmsg.Fetch, 0, 0},
			{"early again", 1, kmsg.Fetch, 0, fetchMaxWait},
			{"and again", 1, kmsg.Fetch, 0, fetchMaxWait},
			{"one that waited for data", 1, kmsg.Fetch, fetchMaxWait, 0},
			{"early after it", 1, kmsg.Fetch, 0, 0},
		} {
			if pause := answer(test.node, test.key, test.took); pause != test.want {
				t.Errorf("%s: waits %s, want %s", test.name, pause, test.want)
			}
		}
		for i := range 3 * mostEarly {
			p.polls.Add(1)
			if pause := answer(1, kmsg.Fetch, 0); pause != 0 {
				t.Fatalf("answer %d that brought records waits %s", i, pause)
			}
		}
	})
}
