package kafkatest

import (
	"os"
	"testing"
)

// Need is what a test cannot run without.
type Need string

// The needs; who has Docker has Kafka.
const (
	NeedKafka  Need = "kafka"
	NeedDocker Need = "docker"
)

// Skip skips the test because the need is not met, or fails it when STREAMER_TEST_REQUIRE says that it has to be: there,
// a test that does not run would be taken for one that passed.
func Skip(t *testing.T, need Need, reason string) {
	t.Helper()
	if require := Need(os.Getenv(envRequire)); require == NeedDocker || require == need {
		t.Fatalf("%s=%s, but: %s", envRequire, require, reason)
	}
	t.Skip("NOTICE: " + reason)
}
