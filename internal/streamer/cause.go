package streamer

import (
	"fmt"
	"time"

	"streamer/internal/admin"
	"streamer/internal/partitionstream"
	"streamer/internal/sink"
)

// A sink that has not answered for this long is shown as blocking, and a worker that has had a block for this long as slow.
const blockedAfter = 5 * time.Second

// cause is why the service or a partition works or waits: a state, what is known about it, and since when.
type cause struct {
	state, reason string
	since         time.Time // zero: since it is seen
}

// outside is what the service waits for, as one look finds it. Nil means that there is no such thing.
type outside struct {
	now     time.Time
	lost    *cause // no broker of the input answers
	schemas *cause // the schema registry does not
	sink    *cause // the sink, or the dead-letter topic, refuses or does not answer
	stalled time.Duration
}

// outside looks at what is around the stages. It waits for nobody.
func (s *Service) outside(now time.Time) outside {
	o := outside{now: now, stalled: s.pool.Stalled(now), sink: sinkCause("", s.delivery.writer.State(), now)}
	if since, err := s.watch.lost(); err != nil {
		o.lost = &cause{admin.StateBrokerLost, err.Error(), since}
	}
	if s.schemas != nil {
		if err := s.schemas.Waiting(); err != nil {
			o.schemas = &cause{state: admin.StateRetrying, reason: err.Error()}
		}
	}
	if letters := s.delivery.letters; o.sink == nil && letters != nil {
		o.sink = sinkCause("dead letters: ", letters.writer.State(), now)
	}
	return o
}

// sinkCause is why a writer does not get on; nil if it does.
func sinkCause(what string, state sink.State, now time.Time) *cause {
	switch silent := now.Sub(state.Since); {
	case state.Activity == sink.Retrying:
		return &cause{admin.StateRetrying, fmt.Sprintf("%sattempt %d: %v", what, state.Attempt, state.Err), state.Since}
	case state.Activity == sink.Writing && silent > blockedAfter:
		reason := what + "the sink has not answered for " + silent.Round(time.Second).String()
		return &cause{admin.StateSinkBlocked, reason, state.Since}
	}
	return nil
}

// of is why a partition works or waits. batched says that it has blocks in a batch that is not acknowledged: those wait
// for the sink, and only those. A cause outside comes before what it leads to, such as a pause.
func (o *outside) of(p *partitionstream.PartitionStatus, batched bool) cause {
	own := cause{state: string(p.State), since: p.Since}
	switch {
	case p.State == partitionstream.Draining:
		if batched && o.sink != nil {
			own.reason = "waits for what is in a batch: " + o.sink.reason
		}
		return own
	case o.lost != nil:
		return *o.lost
	case p.CommitErr != nil && p.Committed != p.Delivered:
		return cause{admin.StateRetrying, "commit: " + p.CommitErr.Error(), p.CommitErrSince}
	case batched && o.sink != nil:
		return *o.sink
	case p.InFlight > 0 && o.schemas != nil:
		return *o.schemas
	}
	switch p.State { //nolint:exhaustive // the other states say it all
	case partitionstream.PausedMemory:
		own.reason = "the memory budget is used up"
		if o.sink != nil {
			own.reason += ": " + o.sink.reason
		}
	case partitionstream.Unreadable:
		own.reason = p.Doubt.Error()
	case partitionstream.Resetting:
		own.reason = fmt.Sprintf("offset %d is not in the log; source.kafka.on_out_of_range applies", p.Position)
	case partitionstream.Processing:
		if !batched && o.stalled > blockedAfter {
			own.reason = "a worker has had a block for " + o.stalled.Round(time.Second).String()
		}
	}
	return own
}

// overall is the gravest cause of any part.
func (o *outside) overall(looks []partitionstream.PartitionStatus, shown []admin.Partition) cause {
	for _, known := range []*cause{o.lost, o.schemas, o.sink} {
		if known != nil {
			return *known
		}
	}
	paused := 0
	first := make(map[string]*admin.Partition) // of each state the partition that has been in it for longest
	for i := range shown {
		p := &shown[i]
		if at := first[p.State]; at == nil || p.StateSince.Before(at.StateSince) {
			first[p.State] = p
		}
		if looks[i].Paused {
			paused++
		}
	}
	for _, state := range []string{
		admin.StateUnreadable, admin.StateRetrying, admin.StateDraining, admin.StatePausedMemory, admin.StateProcessing,
		admin.StateFetching,
	} {
		p := first[state]
		switch {
		case p == nil:
		case state == admin.StatePausedMemory:
			return cause{state, fmt.Sprintf("%d partitions wait for memory", paused), p.StateSince}
		default:
			return cause{state, p.Reason, p.StateSince}
		}
	}
	return cause{state: admin.StateIdle}
}
