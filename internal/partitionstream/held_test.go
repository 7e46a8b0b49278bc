package partitionstream

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A member that has crashed holds its instance id for as long as its session; one that lives holds it for ever.
func TestInstanceHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var failed error
		a := New(Config{}, Deps{Logger: slog.New(slog.DiscardHandler), Fail: func(err error) { failed = err }})
		refuse := func() { a.pollError(partition{}, &kgo.ErrGroupSession{Err: kerr.UnreleasedInstanceID}) }
		refuse()
		time.Sleep(mostHeld) // virtual
		if refuse(); failed != nil {
			t.Fatalf("gave up while the session may go on: %v", failed)
		}
		a.held = time.Time{} // has joined
		refuse()
		time.Sleep(mostHeld)
		if refuse(); failed != nil {
			t.Fatalf("counted from before it had joined: %v", failed)
		}
		time.Sleep(time.Second)
		if refuse(); failed == nil {
			t.Error("waits for ever")
		}
	})
}
