package integration_test

import (
	"testing"

	"streamer/integration/service"
)

// restarts is how often a service is stopped or killed in the tests of this file.
const restarts = 3

// TestTerminateUnderLoad would catch a stop that abandons what is in flight, or that delivers it and skips the last
// commit: the next start would deliver it again.
func TestTerminateUnderLoad(t *testing.T) {
	t.Parallel()
	f := newFlow(t, 4)
	f.sample(t)
	stop := f.stream(t, 40)
	for range restarts {
		s := binary.Start(t, f.config())
		f.progressed(t, s, 5_000)
		s.Terminate(t)
	}
	stop()
	s := binary.Start(t, f.config())
	s.Until(t, "the group to catch up", f.caughtUp)
	s.Terminate(t)
	f.exactlyOnce(t)
}

// TestKillUnderLoad would catch a commit that runs ahead of the sink: what was committed and not delivered is lost at
// the next start.
func TestKillUnderLoad(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{"classic", "consumer"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			if protocol == "consumer" {
				needKafka(t, "session timeouts of the consumer protocol")
			}
			f := newFlow(t, 4)
			f.sample(t)
			config := f.config().With(service.Config{"source.kafka.group_protocol": protocol})
			stop := f.stream(t, 40)
			for range restarts {
				s := binary.Start(t, config)
				f.progressed(t, s, 5_000)
				s.Crash(t)
			}
			stop()
			s := binary.Start(t, config)
			s.Until(t, "the group to catch up", f.caughtUp)
			s.Terminate(t)
			f.atLeastOnce(t)
		})
	}
}
