package streamer

import (
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheClientsLogIsQuieted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		log := clientLog(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelInfo})))
		log.Info("joining group")
		for range 50 {
			log.With("broker", 1).Warn("unable to open connection")
			time.Sleep(400 * time.Millisecond) // virtual: 20 s in all
		}
		log.Error("something else")
		if strings.Contains(out.String(), "joining group") {
			t.Error("the client's news is logged at info")
		}
		if n := strings.Count(out.String(), "level=WARN msg=\"unable to open connection\" broker=1"); n != 2 {
			t.Errorf("the same warning was logged %d times in 20 s, want 2", n)
		}
		if !strings.Contains(out.String(), "level=ERROR msg=\"something else\"") {
			t.Error("another error was held back with the repeated one")
		}
	})
}
