package dropsink_test

import (
	"testing"

	"streamer/internal/sink/dropsink"
	"streamer/internal/sink/sinktest"
)

func TestConformance(t *testing.T) {
	sinktest.Run(t, func(*testing.T) sinktest.Harness { return sinktest.Harness{Sink: dropsink.New()} })
}

func TestCountsWhatItDrops(t *testing.T) {
	s := dropsink.New()
	for id := range uint64(3) {
		refused := sinktest.Numbered(2, 0, 1)
		refused.Refuse(0)
		if err := s.Write(t.Context(), sinktest.Batch(id, sinktest.Numbered(0, 0, 10), sinktest.Numbered(1, 0, 4), refused)); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.Records(); got != 42 {
		t.Errorf("Records() = %d, want 42", got)
	}
}
