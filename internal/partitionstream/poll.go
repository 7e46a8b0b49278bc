package partitionstream

import (
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/kafka"
)

// pollError handles one error that a poll brought. It returns the error if it is about a batch that cannot be read: what the
// same poll brought of the batches before has to be taken on first.
func (a *Assignment) pollError(p partition, err error) *kafka.PollError {
	failure := kafka.ClassifyPoll(p.topic, p.id, err)
	switch failure.Class {
	case kafka.PollClosed: // the wait was over, or the service is
	case kafka.PollRetry, kafka.PollSession:
		a.log.Debug("poll failed; the client tries again", "error", failure) // the lag watch says that the brokers are lost
	case kafka.PollInstanceHeld:
		a.instanceHeld(failure, time.Now())
	case kafka.PollOutOfRange, kafka.PollDataLoss:
		// After a loss kgo has moved its position back already: records with offsets that were received before are new ones,
		// so the stream cannot just go on.
		if s := a.streams[p]; s != nil && !s.draining {
			a.reset(s, failure)
			return nil
		}
		// Nobody takes what comes, but kgo has the partition until the callback returns, and the broker refuses the position
		// at once: fetched again and again it would keep a core busy. The next assignment resumes it.
		a.client.PauseFetchPartitions(map[string][]int32{p.topic: {p.id}})
	case kafka.PollUndecodable:
		return failure
	case kafka.PollRecreated, kafka.PollFatal:
		a.deps.Fail(failure)
	}
	return nil
}

// mostHeld is how long another member's session may go on: the broker's default is 45 s and its upper bound 60 s
// (group.consumer.max.session.timeout.ms). After that the other one lives.
const mostHeld = 90 * time.Second

// instanceHeld waits for the session of the member that had our instance id, which has crashed and is as a rule our own
// predecessor: a service that ended here would be started again, and end again, until that session is over.
func (a *Assignment) instanceHeld(failure *kafka.PollError, now time.Time) {
	if a.held.IsZero() {
		a.held = now
		a.log.Warn("a member that has not left has the same instance_id; joining when its session ends",
			"at_most", mostHeld.String(), "error", failure)
	}
	if now.Sub(a.held) > mostHeld {
		a.deps.Fail(failure)
	}
}

// seek moves the client to an offset of a partition.
func (a *Assignment) seek(p partition, to int64) {
	a.client.SetOffsets(map[string]map[int32]kgo.EpochOffset{p.topic: {p.id: {Epoch: -1, Offset: to}}})
}

// String renders the partition as "topic/3".
func (p partition) String() string { return fmt.Sprintf("%s/%d", p.topic, p.id) }
