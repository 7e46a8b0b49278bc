package kafka

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// A look-up is tried this often, over some 7 s: long enough for a coordinator to load or a leader to be elected, short
// enough for someone who waits at a terminal. Whoever can wait longer asks again.
const (
	lookupTries       = 8
	firstLookupPause  = 100 * time.Millisecond
	longestLookupWait = 2 * time.Second
)

// retry asks again while the broker answers that it cannot say yet. kgo retries the network's errors and most of these
// codes itself, but not those inside an answer: the first group of a new cluster has no coordinator for a second.
func retry[T any](ctx context.Context, ask func() (T, error)) (T, error) {
	pause := firstLookupPause
	for try := 1; ; try++ {
		answer, err := ask()
		if err == nil || try == lookupTries || !isPassing(err) {
			return answer, err
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return answer, err
		case <-timer.C:
		}
		pause = min(2*pause, longestLookupWait)
	}
}

// isPassing tells codes that go away by themselves. A topic that is not known is not among them: it may never be.
func isPassing(err error) bool {
	code, ok := errors.AsType[*kerr.Error](err)
	return ok && code.Retriable && !errors.Is(err, kerr.UnknownTopicOrPartition) && !errors.Is(err, kerr.UnknownTopicID)
}
