package demo

import (
	"strings"
	"testing"
)

// The real service, all of it, in a second: what went in must come out.
func TestStreamerPasses(t *testing.T) {
	t.Parallel()
	out, err := playBriefly(t, startStreamer("test"))
	if err != nil || !strings.Contains(out, "Yes: each of ") {
		t.Errorf("error %v\n%s", err, out)
	}
}
