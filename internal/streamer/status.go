package streamer

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"streamer/internal/admin"
	"streamer/internal/config"
	"streamer/internal/partitionstream"
	"streamer/internal/sink"
)

// board remembers the service's state and since when.
type board struct {
	built atomic.Bool

	mu    sync.Mutex
	state string
	since time.Time
	drain time.Time // when the service began to stop; zero if it has not
}

// build says that all parts of the service exist and may be looked at.
func (b *board) build() { b.built.Store(true) }

func (b *board) isBuilt() bool { return b.built.Load() }

func (b *board) draining() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drain = time.Now()
}

// drainsSince is when the service began to stop; false if it has not.
func (b *board) drainsSince() (time.Time, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.drain, !b.drain.IsZero()
}

// enter notes the state and returns since when it is: what is known of it, or when it was first seen.
func (b *board) enter(c cause, now time.Time) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state != c.state {
		b.state, b.since = c.state, now
	}
	if !c.since.IsZero() {
		return c.since
	}
	return b.since
}

// Status returns one look at the service.
func (s *Service) Status() admin.Status {
	status := admin.Status{
		Version: s.opts.Version, Instance: instance(s.cfg.Source.Kafka.InstanceID),
		Group: s.cfg.Source.Kafka.Group, Started: s.started, State: admin.StateIdle,
		StateSince: s.started,
	}
	if !s.board.isBuilt() {
		status.Reason = "starting"
		return status
	}
	looks, err := s.assignment.Snapshot()
	if err != nil {
		status.State, status.Reason = admin.StateDraining, "stopped"
		return status
	}
	around := s.outside(time.Now())
	for i := range looks {
		status.Partitions = append(status.Partitions, s.partition(&looks[i], &around))
	}
	busy, queued := s.pool.Load()
	status.Workers = admin.Workers{Total: s.workers(), Busy: busy, Queued: queued}
	status.Memory = admin.Memory{UsedBytes: s.assignment.Budget().Used(), BudgetBytes: s.budget}
	status.Sink = sinkStatus(s.cfg.Sink.Type, s.delivery.writer.State())
	if letters := s.delivery.letters; letters != nil {
		shown := sinkStatus(config.SinkKafka, letters.writer.State())
		status.DeadLetters = &shown
	}
	status.Batches, status.Totals = s.delivery.history.read()
	status.Totals.Received, status.Totals.Fenced = s.assignment.Counts()
	now := around.overall(looks, status.Partitions)
	if since, drains := s.board.drainsSince(); drains {
		now = cause{admin.StateDraining, "stopping", since}
	}
	status.State, status.Reason, status.StateSince = now.state, now.reason, s.board.enter(now, around.now)
	return status
}

func (s *Service) partition(p *partitionstream.PartitionStatus, around *outside) admin.Partition {
	reach, batched := s.sequencer.Reach(p.Owner)
	why := around.of(p, batched && reach > p.Delivered)
	shown := admin.Partition{
		Topic: p.Owner.Topic, Partition: p.Owner.Partition,
		State: why.state, Reason: why.reason, StateSince: why.since,
		Records: p.Records, Bytes: p.Bytes, Position: p.Position, Delivered: p.Delivered, Committed: p.Committed,
		End: p.End, Lag: p.Lag, LagSeconds: p.LagTime.Seconds(), InFlightBytes: p.InFlight, Paused: p.Paused,
	}
	if p.Lag < 0 {
		shown.LagSeconds = -1 // unknown, which is not 0
	}
	if shown.StateSince.IsZero() {
		shown.StateSince = p.Since
	}
	return shown
}

func sinkStatus(kind string, state sink.State) admin.Sink {
	shown := admin.Sink{Kind: kind, State: state.Activity.String(), Since: state.Since, Attempt: state.Attempt}
	if state.Err != nil {
		shown.LastError = state.Err.Error()
	}
	return shown
}

var (
	errStarting = errors.New("starting")
	errDraining = errors.New("draining")
	errJoining  = errors.New("joining the group")
	errNoTopics = errors.New("joining the group: no topic matched source.kafka.topic_pattern at start")
)

// ready returns nil when the member has joined and reaches its brokers, else an *[admin.NotReadyError].
func (s *Service) ready() error {
	since, reason := s.unready()
	if reason == nil {
		return nil
	}
	return &admin.NotReadyError{Err: reason, For: time.Since(since)}
}

// unready is since when the service is not ready, and why; nil if it is.
func (s *Service) unready() (since time.Time, why error) {
	if !s.board.isBuilt() {
		return s.started, errStarting
	}
	if since, drains := s.board.drainsSince(); drains {
		return since, errDraining
	}
	if !s.assignment.Joined() {
		if s.noTopics {
			return s.started, errNoTopics
		}
		return s.started, errJoining
	}
	if since, lost := s.watch.lost(); lost != nil {
		return since, fmt.Errorf("%s: %w", admin.StateBrokerLost, lost)
	}
	return time.Time{}, nil
}

// live returns nil unless a stage inside the process has work and does not move. Brokers and sinks that do not answer,
// pauses and drains are no reason: a restart would not mend them, and a fleet that restarts in an outage makes it worse.
func (s *Service) live() error {
	if !s.board.isBuilt() {
		return nil
	}
	now, limit := time.Now(), time.Duration(s.cfg.Admin.StallTimeout)
	for _, stage := range []struct {
		name  string
		still time.Duration
	}{
		{"assignment", now.Sub(s.assignment.LastTurn())},
		{"pool", s.stalledWorkers(now)},
		{"union", s.sequencer.Stalled()},
	} {
		if stage.still > limit {
			return &admin.StallError{Stage: stage.name, For: stage.still, Limit: limit}
		}
	}
	return nil
}

// stalledWorkers is 0 while workers wait for the schema registry, which is outside.
func (s *Service) stalledWorkers(now time.Time) time.Duration {
	if s.schemas != nil && s.schemas.Waiting() != nil {
		return 0
	}
	return s.pool.Stalled(now)
}

// instance is this replica's name: the static member's, or the host's.
func instance(configured string) string {
	if configured != "" {
		return configured
	}
	host, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return host
}
