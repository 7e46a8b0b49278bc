package kafkasink

import (
	"errors"
	"fmt"

	"streamer/internal/record"
)

// Why a record has no place to go. The topic and the partition that were asked for may come from its payload, so they are
// not named.
var (
	errUnrouted = errors.New("record is not routed and there is no sink.kafka.topic to take it; set one, or route every record")
	errUnlisted = errors.New("record is routed to a topic that is not in sink.kafka.topics; list it there, or skip the record")
)

// partitionError says that a record asks for a partition that its topic does not have.
type partitionError struct {
	topic string
	count int
}

func (e *partitionError) Error() string {
	return fmt.Sprintf("record is routed to a partition that topic %s does not have; it has %d, counted from 0", e.topic, e.count)
}

// place is an output partition; before the client has placed a record, its partition is a mark.
type place struct {
	topic     string
	partition int32
}

// router decides where the outputs of one owner go. Neighbours tend to share a destination, so it remembers the last.
type router struct {
	placement *placement
	owner     record.Owner
	// Where outputs without a destination go, or why they cannot.
	topic string
	mark  int32
	err   error

	to      *record.Destination
	last    place
	lastErr error
}

func (s *Sink) router(owner record.Owner) router {
	r := router{placement: &s.placement, owner: owner, topic: s.cfg.Topic}
	if r.topic == "" {
		r.err = errUnrouted
	} else {
		r.mark = s.placement.mark(owner, r.topic)
	}
	return r
}

// route returns the topic and the mark of outputs with the destination, or why they cannot go.
func (r *router) route(to *record.Destination) (topic string, mark int32, err error) {
	if to != r.to {
		r.to = to
		r.last, r.lastErr = r.decide(to)
	}
	return r.last.topic, r.last.partition, r.lastErr
}

func (r *router) decide(to *record.Destination) (place, error) {
	at := place{topic: to.Topic, partition: to.Partition}
	if at.topic == "" {
		at.topic = r.topic
	}
	count, listed := r.placement.outputs[at.topic]
	switch {
	case at.topic == "":
		return place{}, errUnrouted
	case !listed:
		return place{}, errUnlisted
	case int(at.partition) >= count:
		return place{}, &partitionError{topic: at.topic, count: count}
	case at.partition >= 0:
	case to.ByKey:
		at.partition = ^r.owner.Partition
	default:
		at.partition = r.placement.mark(r.owner, at.topic)
	}
	return at, nil
}
