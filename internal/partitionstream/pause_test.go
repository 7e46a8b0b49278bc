package partitionstream

import (
	"testing"

	"pgregory.net/rapid"
)

var marks = Levels{Low: 50, High: 75, Full: 100}

func TestRegression14OneHotPartitionIsPausedAlone(t *testing.T) {
	t.Parallel()
	hot, cold, idle := &stream{}, &stream{}, &stream{}
	running := []load{{cold, 3}, {hot, 76}, {idle, 0}}
	if got := choosePauses(marks, 79, 0, running); len(got) != 1 || got[0] != hot {
		t.Fatalf("paused %d streams, want the hot one alone", len(got))
	}
	if got := choosePauses(marks, 79, 76, []load{{cold, 3}, {idle, 0}}); got != nil {
		t.Fatalf("paused %d more beside the hot one, and nobody flows", len(got))
	}
	if got := choosePauses(marks, 74, 0, running); got != nil {
		t.Fatalf("paused %d streams below the high mark", len(got))
	}
}

func TestAFullBudgetAdmitsNobody(t *testing.T) {
	t.Parallel()
	if got := choosePauses(marks, 100, 0, []load{{&stream{}, 0}, {&stream{}, 60}, {&stream{}, 40}}); len(got) != 3 {
		t.Fatalf("paused %d of 3 streams at a full budget", len(got))
	}
}

// Below the full mark: a partition without anything in flight is never paused, and the paused ones hold at least half.
func TestPausesHoldHalf(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var running []load
		paused := rapid.Int64Range(0, 3000).Draw(t, "paused")
		sum, held := paused, paused
		for range rapid.IntRange(1, 30).Draw(t, "streams") {
			used := rapid.Int64Range(0, 1000).Draw(t, "used")
			running = append(running, load{&stream{}, used})
			sum += used
		}
		used := make(map[*stream]int64)
		for _, r := range running {
			used[r.stream] = r.used
		}
		for _, s := range choosePauses(marks, 80, paused, running) {
			if used[s] == 0 {
				t.Fatal("paused a stream with nothing in flight")
			}
			held += used[s]
		}
		if 2*held < sum {
			t.Fatalf("the paused hold %d of %d", held, sum)
		}
	})
}
