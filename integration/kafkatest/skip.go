package kafkatest

import (
	"os"
	"testing"
)

// Skip skips the test for something that this machine does not have, or fails it when STREAMER_TEST_REQUIRE is set:
// there, a test that does not run would be taken for one that passed.
func Skip(t *testing.T, reason string) {
	t.Helper()
	if require := os.Getenv(envRequire); require != "" {
		t.Fatalf("%s=%s, but: %s", envRequire, require, reason)
	}
	t.Skip("NOTICE: " + reason)
}
