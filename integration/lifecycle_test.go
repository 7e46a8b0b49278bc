package integration_test

import (
	"fmt"
	"regexp"
	"syscall"
	"testing"
	"time"

	"streamer/integration/ledger"
	"streamer/integration/service"
)

// hungFlow starts a service whose way to the sink, and to the source too if all, hangs with records in flight.
func hungFlow(t *testing.T, all bool, changes service.Config) (*flow, *service.Service) {
	t.Helper()
	f := newFlow(t, 2)
	way := f.broker.Proxied(t)
	config := f.config().With(changes).With(sinkBehind(way))
	if all {
		config = config.With(service.Config{"kafka.brokers": []string{way.Addr()}})
	}
	s := binary.Start(t, config)
	f.fill(t, ledger.Each(2, 100)...)
	s.Until(t, "the group to catch up", f.caughtUp)
	if !all { // through a hung way to the source nothing would come
		way.Hang()
	}
	f.fill(t, ledger.Each(2, 100)...)
	if all {
		way.Hang()
		return f, s
	}
	s.UntilStatus(t, "records in flight", func(status *service.Status) error {
		if status.Memory.Used == 0 || status.Sink.State == "idle" {
			return fmt.Errorf("%d bytes in flight, sink %s", status.Memory.Used, status.Sink.State)
		}
		return nil
	})
	return f, s
}

// TestStopDeadline would catch a stop that waits for a dead sink for ever, and one that does not say what it left.
func TestStopDeadline(t *testing.T) {
	t.Parallel()
	const timeout = 3 * time.Second
	f, s := hungFlow(t, false, service.Config{"shutdown.timeout": timeout.String()})
	asked := time.Now()
	s.Send(t, syscall.SIGTERM)
	if code := s.Exit(t); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	// A second is promised; the other is for the machine.
	if took := time.Since(asked); took > timeout+2*time.Second {
		t.Errorf("the stop took %v, limit %v", took, timeout)
	}
	for partition := range 2 {
		span := regexp.MustCompile(fmt.Sprintf(`%s/%d \[\d+,200\)`, regexp.QuoteMeta(f.Topic), partition))
		if !span.MatchString(s.Stderr.String()) {
			t.Errorf("the log does not name the abandoned span of partition %d as %v", partition, span)
		}
	}
	second := binary.Start(t, f.config())
	second.Until(t, "the group to catch up", f.caughtUp)
	second.Terminate(t)
	f.atLeastOnce(t)
}

// TestStopDeadlineWithoutBroker would catch a stop that hangs in LeaveGroup or in a commit.
func TestStopDeadlineWithoutBroker(t *testing.T) {
	t.Parallel()
	const timeout = 3 * time.Second
	f, s := hungFlow(t, true, service.Config{"shutdown.timeout": timeout.String()})
	asked := time.Now()
	s.Send(t, syscall.SIGTERM)
	code := s.Exit(t) // 0 if all had arrived before the way hung
	if took := time.Since(asked); took > timeout+2*time.Second {
		t.Errorf("the stop took %v, limit %v; exit code %d", took, timeout, code)
	}
	second := binary.Start(t, f.config())
	second.Until(t, "the group to catch up", f.caughtUp)
	second.Terminate(t)
	f.atLeastOnce(t)
}

// TestSecondSignal would catch a drain that cannot be cut short.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	_, s := hungFlow(t, false, service.Config{"shutdown.timeout": "10m"})
	s.Send(t, syscall.SIGTERM)
	if _, err := s.Stderr.WaitLine(t.Context(), "draining"); err != nil {
		t.Fatal(err)
	}
	s.Send(t, syscall.SIGINT)
	const interrupted = 130
	if code := s.Exit(t); code != interrupted {
		t.Errorf("exit code %d, want %d", code, interrupted)
	}
}
