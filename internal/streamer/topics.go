package streamer

import (
	"context"
	"log/slog"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"

	"streamer/internal/kafka"
)

// topicWatch stops the service when a topic that it reads was deleted and created again. The client goes on with the old
// topic's id. In most cases a fetch then fails, but not under KIP-848: the group takes the old partitions away, the client
// cannot tell the new ones that it is given, and without this look the service would be idle for ever. One goroutine uses it.
type topicWatch struct {
	ids  func(ctx context.Context, topics ...string) (map[string]kadm.TopicID, error)
	fail func(error)
	log  *slog.Logger
	// known has the topics that are read; a topic that a pattern matches is added when one of its partitions is assigned.
	known map[string]kadm.TopicID // zero until the topic is seen
	gone  map[string]bool         // topics that were said to be gone
}

func newTopicWatch(lookups *kafka.Admin, topics []string, fail func(error), log *slog.Logger) *topicWatch {
	w := &topicWatch{ids: lookups.TopicIDs, fail: fail, log: log, known: map[string]kadm.TopicID{}, gone: map[string]bool{}}
	for _, topic := range topics {
		w.known[topic] = kadm.TopicID{}
	}
	return w
}

// look compares ids with those of the looks before. A look that fails is left out: that the brokers are away is told
// elsewhere.
func (w *topicWatch) look(ctx context.Context, assigned []string) {
	for _, topic := range assigned {
		if _, known := w.known[topic]; !known {
			w.known[topic] = kadm.TopicID{}
		}
	}
	if len(w.known) == 0 {
		return
	}
	ids, err := w.ids(ctx, slices.Sorted(maps.Keys(w.known))...)
	if err != nil {
		return
	}
	for topic, before := range w.known {
		id, there := ids[topic]
		switch {
		case there && before != (kadm.TopicID{}) && id != before:
			w.fail(kafka.Recreated(topic))
		case there:
			w.known[topic] = id
			delete(w.gone, topic)
		case before != (kadm.TopicID{}) && !w.gone[topic]:
			w.gone[topic] = true
			w.log.Warn("a topic that is read is gone; when it is created again the service stops, to begin anew", "topic", topic)
		}
	}
}
