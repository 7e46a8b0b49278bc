package streamer

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"

	"streamer/internal/kafka"
)

func TestTopicWatch(t *testing.T) {
	t.Parallel()
	one, two := kadm.TopicID{1}, kadm.TopicID{2}
	type look = map[string]kadm.TopicID
	for name, test := range map[string]struct {
		looks []look // nil: it fails
		stops int    // the look that stops the service; -1: none does
	}{
		"the same all the time":               {[]look{{"a": one}, {"a": one}, nil, {"a": one}}, -1},
		"created again":                       {[]look{{"a": one}, {"a": two}}, 1},
		"deleted, created again later":        {[]look{{"a": one}, {}, nil, {"a": two}}, 3},
		"away and back":                       {[]look{{"a": one}, {}, {}, {"a": one}}, -1},
		"not there at the start":              {[]look{{}, {"a": one}, {"a": one}}, -1},
		"one that a pattern matches":          {[]look{{"a": one, "b": one}, {"a": one, "b": two}}, 1},
		"brokers that know of no topics' ids": {[]look{{}, {}}, -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at, stopped := 0, -1
			var log bytes.Buffer
			w := &topicWatch{
				ids: func(_ context.Context, topics ...string) (map[string]kadm.TopicID, error) {
					if len(topics) != 2 {
						t.Errorf("asked for %v", topics)
					}
					if test.looks[at] == nil {
						return nil, errors.New("away")
					}
					return test.looks[at], nil
				},
				fail: func(err error) {
					poll, ok := errors.AsType[*kafka.PollError](err)
					if !ok || poll.Class != kafka.PollRecreated || !strings.Contains(err.Error(), "created anew") {
						t.Errorf("stopped by %v", err)
					}
					stopped = at
				},
				log: slog.New(slog.NewTextHandler(&log, nil)), known: map[string]kadm.TopicID{"a": {}}, gone: map[string]bool{},
			}
			for ; at < len(test.looks) && stopped < 0; at++ {
				w.look(t.Context(), []string{"b"})
			}
			if stopped != test.stops {
				t.Errorf("look %d stopped it, want %d", stopped, test.stops)
			}
			if warned := strings.Count(log.String(), "topic=a"); warned > 1 {
				t.Errorf("warned %d times", warned)
			}
		})
	}
}
