package integration_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"streamer/integration/eventually"
	"streamer/integration/service"
)

// brokerGone is how long the broker is away: longer than a request's timeout and than the sessions of the group.
const brokerGone = 20 * time.Second

// TestBrokerGoneAndBack stops the only broker, source and sink alike, for longer than any session, and brings it back;
// then once more without warning. It would catch a client that gives up, a batch that is dropped when its retries end,
// and a service that is restarted, or declares itself dead, because its broker is.
func TestBrokerGoneAndBack(t *testing.T) {
	t.Parallel()
	f := newFlowOn(t, broker.Own(t, nil), 4)
	f.sample(t)
	stop := f.stream(t, 10)
	s := binary.Start(t, f.config())
	f.progressed(t, s, 2_000)

	if err := f.broker.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Until(t, "the service to say that the broker is lost", func(ctx context.Context) error {
		status, err := s.Look(ctx)
		if err != nil {
			return err
		}
		if status.State != "broker-lost" || status.Reason == "" {
			return fmt.Errorf("state %q, reason %q", status.State, status.Reason)
		}
		if s.IsReady(ctx) == nil {
			return fmt.Errorf("%w: still ready", errNotYet)
		}
		return nil
	})
	eventually.Throughout(t, brokerGone, "alive without a broker", s.Live)
	restart(t, f)
	f.progressed(t, s, 2_000)

	if err := f.broker.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	restart(t, f)
	f.progressed(t, s, 2_000)

	stop()
	s.Until(t, "the group to catch up", f.caughtUp)
	s.Ready(t)
	s.Terminate(t)
	f.atLeastOnce(t)
}

func restart(t *testing.T, f *flow) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), service.Patience)
	defer cancel()
	if err := f.broker.Restart(ctx); err != nil {
		t.Fatal(err)
	}
}
