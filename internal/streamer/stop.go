package streamer

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// What is left to do when the time is over (telling the group that the member leaves, closing the sink) gets this long each:
// the exit must come within a second of the deadline.
const lastGrace = 300 * time.Millisecond

// stop takes the service down: intake ends, what is in a batch is delivered and committed, the group is left, the rest
// is ended. It returns why the service stopped, nil if that was asked for and nothing was abandoned.
func (s *Service) stop(ctx context.Context, stages *stages) error {
	stages.endIntake()
	s.board.draining()
	deadline := time.Now().Add(time.Duration(s.cfg.Shutdown.Timeout))
	limit, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline)
	defer cancel()

	abandoned := s.awaitDrain(limit, s.assignment.Stop())
	if abandoned != nil {
		stages.endWork() // a sink that hangs must not hold the exit
	}
	s.leave(limit)
	s.assignment.Close()
	stages.endWork()
	err := errors.Join(s.failed.err(), abandoned, s.closeSink(limit))
	_, totals := s.delivery.history.read()
	received, _ := s.assignment.Counts()
	s.log.Info("stopped", "received", received, "delivered", totals.Delivered, "filtered", totals.Filtered,
		"skipped", totals.Skipped, "dead_lettered", totals.DeadLettered, "reduced", totals.Reduced, "batches", totals.Batches,
		"ran", time.Since(s.started).Round(time.Millisecond).String())
	return err
}

// awaitDrain waits for the drain. The error names what could not be delivered and committed; nil if nothing.
func (s *Service) awaitDrain(limit context.Context, drained <-chan struct{}) error {
	why := ""
	dead := s.delivery.dead
	for {
		select {
		case <-drained:
			if why == "" {
				return nil
			}
			return s.abandoned(why)
		case <-dead:
			dead, why = nil, "the sink failed"
			s.assignment.Abandon()
		case <-limit.Done():
			abandoned := s.abandoned(fmt.Sprintf("shutdown.timeout (%s) passed before everything was delivered and committed",
				s.cfg.Shutdown.Timeout))
			s.assignment.Abandon() // or leaving the group would wait for the same sink again
			return abandoned
		}
	}
}

// abandoned names what is received and in a batch, but not committed; nil if nothing is.
func (s *Service) abandoned(why string) error {
	left, err := s.assignment.Unsettled()
	if err != nil || len(left) == 0 {
		return err
	}
	return &AbandonedError{Spans: left, Why: why}
}

// leave leaves the group and closes the client. The assignment loop still runs, because leaving calls back into it.
func (s *Service) leave(limit context.Context) {
	ctx, cancel := withGrace(limit)
	defer cancel()
	if err := s.client.LeaveGroupContext(ctx); err != nil {
		s.log.Warn("leaving the group failed; the broker notices at the session timeout", "error", err)
	}
	if within(ctx, s.client.Close) != nil {
		s.log.Warn("the client did not close in time")
	}
}

// closeSink closes the sink once nobody writes to it any more.
func (s *Service) closeSink(limit context.Context) error {
	ctx, cancel := withGrace(limit)
	defer cancel()
	var err error
	late := within(ctx, func() {
		<-s.delivery.ended
		err = errors.Join(s.delivery.writer.Close(), s.delivery.letters.close())
	})
	if late != nil {
		return fmt.Errorf("close sink %s: it did not close in time: %w", s.cfg.Sink.Type, late)
	}
	return err
}

// withGrace is limit, or lastGrace from now if that is later.
func withGrace(limit context.Context) (context.Context, context.CancelFunc) {
	deadline, _ := limit.Deadline()
	if soon := time.Now().Add(lastGrace); deadline.Before(soon) {
		deadline = soon
	}
	return context.WithDeadline(context.WithoutCancel(limit), deadline)
}

// within runs f and returns when it has ended, or ctx's error when that ended before; f is then left behind.
func within(ctx context.Context, f func()) error {
	done := make(chan struct{})
	go func() { f(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
