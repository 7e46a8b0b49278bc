//go:build chaos && linux

package chaos_test

import (
	"time"

	"streamer/integration/service"
)

func mixedConfig(r *rig) service.Config {
	return onError("dead_letter")(r).With(sourceBehindProxy(r))
}

// mixed draws one fault after the other, and now and then two at once.
func mixed(r *rig) {
	faults := []func(*rig){
		killed, killed, terminated, frozen, brokerStopped, brokerKilled, partitionsAdded, sinkUnavailable, lettersUnavailable,
		poisoned, sourceCut, sourceHung, sourceDelayed, answersTorn,
	}
	faults[r.rand.IntN(len(faults))](r)
	if r.rand.IntN(3) == 0 {
		r.hold(upTo(r, 300*time.Millisecond))
		killed(r)
	}
}
