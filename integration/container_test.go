package integration_test

import (
	"os"
	"testing"
	"time"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/network"
	"github.com/testcontainers/testcontainers-go/wait"

	"streamer/integration/eventually"
	"streamer/integration/kafkatest"
	"streamer/integration/ledger"
	"streamer/integration/service"
)

// envImage names an image to test instead of building one.
const envImage = "STREAMER_TEST_IMAGE"

// TestContainer builds the image and runs it beside the broker, on a Docker network, configured by its environment
// alone. It would catch an image that lacks what the binary needs, an admin listener that the health check does not
// reach, and a stop signal that does not arrive.
func TestContainer(t *testing.T) {
	// Not in parallel: building an image takes all processors for a minute.
	if broker.Network == "" {
		kafkatest.Skip(t, kafkatest.NeedDocker, "needs Docker for both the broker and Streamer")
	}
	const partitions, each = 8, 200_000
	f := newFlow(t, partitions)
	f.fill(t, ledger.Each(partitions, each)...)
	image, options := os.Getenv(envImage), []testcontainers.ContainerCustomizer(nil)
	if image == "" {
		dockerfile := testcontainers.FromDockerfile{Context: binary.Root, Dockerfile: "Dockerfile"}
		options = append(options, testcontainers.WithDockerfile(dockerfile))
	}
	container, err := testcontainers.Run(t.Context(), image, append(options,
		testcontainers.WithEnv(map[string]string{
			"STREAMER_KAFKA_BROKERS":       broker.InNetwork,
			"STREAMER_SOURCE_KAFKA_TOPICS": f.Topic,
			"STREAMER_SOURCE_KAFKA_GROUP":  f.group,
			"STREAMER_SINK_KAFKA_TOPIC":    f.output,
		}),
		network.WithNetworkName(nil, broker.Network),
		testcontainers.WithWaitStrategyAndDeadline(service.Patience, wait.ForHealthCheck()),
	)...)
	testcontainers.CleanupContainer(t, container)
	if err != nil {
		t.Fatal(err)
	}
	eventually.Holds(t, service.Patience, "the group to catch up", f.caughtUp)
	patience := 30 * time.Second
	if err := container.Stop(t.Context(), &patience); err != nil {
		t.Fatal(err)
	}
	state, err := container.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if state.ExitCode != 0 {
		t.Errorf("exit code %d, want 0", state.ExitCode)
	}
	f.exactlyOnce(t)
}
