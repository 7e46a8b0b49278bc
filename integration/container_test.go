package integration_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
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
// alone and confined as far as Docker can. It would catch an image that lacks what the binary needs or runs as root, a binary
// that writes where nobody told it to or wants a capability, an admin listener that the health check does not reach, and a
// stop signal that does not arrive.
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
	running, err := testcontainers.Run(t.Context(), image, append(options,
		testcontainers.WithEnv(map[string]string{
			"STREAMER_KAFKA_BROKERS":       broker.InNetwork,
			"STREAMER_SOURCE_KAFKA_TOPICS": f.Topic,
			"STREAMER_SOURCE_KAFKA_GROUP":  f.group,
			"STREAMER_SINK_KAFKA_TOPIC":    f.output,
		}),
		network.WithNetworkName(nil, broker.Network),
		testcontainers.WithHostConfigModifier(confine),
		testcontainers.WithWaitStrategyAndDeadline(service.Patience, wait.ForHealthCheck()),
	)...)
	testcontainers.CleanupContainer(t, running)
	if err != nil {
		t.Fatal(err)
	}
	confined(t, running)
	eventually.Holds(t, service.Patience, "the group to catch up", f.caughtUp)
	patience := 30 * time.Second
	if err := running.Stop(t.Context(), &patience); err != nil {
		t.Fatal(err)
	}
	state, err := running.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if state.ExitCode != 0 {
		t.Errorf("exit code %d, want 0", state.ExitCode)
	}
	f.exactlyOnce(t)
}

// confine is docker run --read-only --cap-drop ALL --security-opt no-new-privileges.
func confine(host *container.HostConfig) {
	host.ReadonlyRootfs = true
	host.CapDrop = []string{"ALL"}
	host.SecurityOpt = []string{"no-new-privileges"}
}

// confined checks what the kernel makes of it, where Docker runs on this machine. The user must be a number: Kubernetes cannot
// tell of a name whether it is root.
func confined(t *testing.T, running *testcontainers.DockerContainer) {
	t.Helper()
	found, err := running.Inspect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if user := found.Config.User; !regexp.MustCompile(`^[1-9][0-9]*:[1-9][0-9]*$`).MatchString(user) {
		t.Errorf("the image's user is %q, want numbers above 0", user)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", found.State.Pid))
	if err != nil {
		t.Logf("the process is not on this machine: %v", err)
		return
	}
	for _, line := range []string{
		"Uid:\t65532\t65532\t65532\t65532", "Gid:\t65532\t65532\t65532\t65532",
		"CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1",
	} {
		if !strings.Contains(string(status), line+"\n") {
			t.Errorf("no %q in the process's status:\n%s", line, status)
		}
	}
}
