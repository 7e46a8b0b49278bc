package sink

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"streamer/internal/setting"
)

func TestPauseStaysWithinItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		low := rapid.Int64Range(1, int64(time.Hour)).Draw(t, "min")
		high := rapid.Int64Range(low, int64(24*time.Hour)).Draw(t, "max")
		r := Retry{Min: setting.Duration(low), Max: setting.Duration(high)}
		attempt := rapid.IntRange(1, 1<<20).Draw(t, "attempt")
		pause := r.pause(attempt, rapid.Float64Range(0, 0.999).Draw(t, "chance"))
		if pause < time.Duration(low)/2 || pause > time.Duration(high) {
			t.Fatalf("pause(%d) = %v, want %v to %v", attempt, pause, time.Duration(low)/2, time.Duration(high))
		}
	})
}

func TestPauseDoubles(t *testing.T) {
	r := DefaultConfig().Retry
	for i, want := range []int64{100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000, 10000} {
		if got := r.pause(i+1, 0).Milliseconds(); got != want {
			t.Errorf("pause(%d) = %d ms, want %d", i+1, got, want)
		}
	}
}

func TestConfigValidate(t *testing.T) {
	if faults := DefaultConfig().Validate(); len(faults) != 0 {
		t.Errorf("the default is faulty: %v", faults)
	}
	faults := Config{Retry: Retry{Min: 0, Max: -1}}.Validate()
	if len(faults) != 2 || faults[0].Field != "sink.retry.min" || faults[1].Field != "sink.retry.max" {
		t.Errorf("Validate() = %v, want one fault for each bound", faults)
	}
}
