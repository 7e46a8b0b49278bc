package streamer

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"streamer/internal/admin"
	"streamer/internal/config"
	"streamer/internal/partitionstream"
	"streamer/internal/sink"
)

// A sink that has not answered for this long is shown as blocking.
const blockedAfter = 5 * time.Second

// board remembers the service's state and since when.
type board struct {
	built, drains atomic.Bool

	mu    sync.Mutex
	state string
	since time.Time
}

// build says that all parts of the service exist and may be looked at.
func (b *board) build() { b.built.Store(true) }

func (b *board) isBuilt() bool { return b.built.Load() }

func (b *board) draining() { b.drains.Store(true) }

func (b *board) isDraining() bool { return b.drains.Load() }

func (b *board) enter(state string, now time.Time) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state != state {
		b.state, b.since = state, now
	}
	return b.since
}

// Status returns one look at the service.
func (s *Service) Status() admin.Status {
	status := admin.Status{
		Version: s.opts.Version, Instance: instance(s.cfg.Source.Kafka.InstanceID),
		Group: s.cfg.Source.Kafka.Group, Started: s.started, State: admin.StateIdle,
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
	lost := s.watch.lost()
	for _, p := range looks {
		status.Partitions = append(status.Partitions, s.partition(p, lost))
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
	status.State, status.Reason = s.overall(status, lost)
	status.StateSince = s.board.enter(status.State, time.Now())
	return status
}

func (s *Service) partition(p partitionstream.PartitionStatus, lost error) admin.Partition {
	shown := admin.Partition{
		Topic: p.Owner.Topic, Partition: p.Owner.Partition,
		State: string(p.State), StateSince: p.Since,
		Records: p.Records, Bytes: p.Bytes, Position: p.Position, Delivered: p.Delivered, Committed: p.Committed,
		End: p.End, Lag: p.Lag, LagSeconds: p.LagTime.Seconds(), InFlightBytes: p.InFlight, Paused: p.Paused,
	}
	if p.Lag < 0 {
		shown.LagSeconds = -1 // unknown, which is not 0
	}
	if lost != nil && p.State != partitionstream.Draining {
		shown.State, shown.Reason = admin.StateBrokerLost, lost.Error()
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

// overall is the gravest state of any part.
func (s *Service) overall(status admin.Status, lost error) (state, reason string) {
	paused, processing, fetching := 0, false, false
	for _, p := range status.Partitions {
		if p.Paused {
			paused++
		}
		processing = processing || p.InFlightBytes > 0
		fetching = fetching || p.State == admin.StateFetching
	}
	switch blocked := time.Since(status.Sink.Since); {
	case s.board.isDraining():
		return admin.StateDraining, "stopping"
	case lost != nil:
		return admin.StateBrokerLost, lost.Error()
	case s.schemas != nil && s.schemas.Waiting() != nil:
		return admin.StateRetrying, s.schemas.Waiting().Error()
	case status.Sink.State == sink.Retrying.String():
		return admin.StateRetrying, fmt.Sprintf("attempt %d: %s", status.Sink.Attempt, status.Sink.LastError)
	case status.DeadLetters != nil && status.DeadLetters.State == sink.Retrying.String():
		return admin.StateRetrying,
			fmt.Sprintf("dead letters, attempt %d: %s", status.DeadLetters.Attempt, status.DeadLetters.LastError)
	case status.Sink.State == sink.Writing.String() && blocked > blockedAfter:
		return admin.StateSinkBlocked, "the sink has not answered for " + blocked.Round(time.Second).String()
	case paused > 0:
		return admin.StatePausedMemory, strconv.Itoa(paused) + " partitions wait for memory"
	case processing:
		return admin.StateProcessing, ""
	case fetching:
		return admin.StateFetching, ""
	}
	return admin.StateIdle, ""
}

var (
	errStarting = errors.New("starting")
	errDraining = errors.New("draining")
	errJoining  = errors.New("joining the group")
	errNoTopics = errors.New("joining the group: no topic matched source.kafka.topic_pattern at start")
)

// ready returns nil when the member has joined and reaches its brokers.
func (s *Service) ready() error {
	switch {
	case !s.board.isBuilt():
		return errStarting
	case s.board.isDraining():
		return errDraining
	case !s.assignment.Joined() && s.noTopics:
		return errNoTopics
	case !s.assignment.Joined():
		return errJoining
	}
	if lost := s.watch.lost(); lost != nil {
		return fmt.Errorf("%s: %w", admin.StateBrokerLost, lost)
	}
	return nil
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
