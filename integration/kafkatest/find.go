package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/testcontainers/testcontainers-go"
)

// The environment variables that choose a broker.
const (
	envBrokers = "STREAMER_TEST_BROKERS"
	envKind    = "STREAMER_TEST_BROKER"
	envRequire = "STREAMER_TEST_REQUIRE"
)

// Find returns the first broker that can be had, and says on report which and why not a better one.
func Find(ctx context.Context, report func(format string, args ...any)) (*Broker, error) {
	kinds, err := wanted(os.Getenv(envBrokers), os.Getenv(envKind), os.Getenv(envRequire))
	if err != nil {
		return nil, err
	}
	var why []error
	for _, kind := range kinds {
		if err := available(ctx, kind); err != nil {
			report("no %s broker: %v", kind, err)
			why = append(why, fmt.Errorf("%s: %w", kind, err))
			continue
		}
		broker, err := start(ctx, kind, options{})
		if err != nil {
			// It should have worked: falling below would hide that.
			return nil, fmt.Errorf("start %s broker: %w", kind, err)
		}
		report("broker: %s at %s", kind, strings.Join(broker.Addrs, ","))
		if kind == Embedded {
			report("NOTICE: THIS IS NOT KAFKA. Tests run against the embedded kfake, and those that need real Kafka are " +
				"skipped. Install Docker, or Java 17 and Maven, or set " + envBrokers + ".")
		}
		return broker, nil
	}
	return nil, fmt.Errorf("no broker to test with: %w", errors.Join(why...))
}

// wanted lists the kinds to try, best first.
func wanted(brokers, kind, require string) ([]Kind, error) {
	kinds := []Kind{Docker, Process, Embedded}
	switch {
	case kind == string(Docker) || kind == string(Process) || kind == string(Embedded):
		kinds = []Kind{Kind(kind)}
	case kind != "":
		return nil, fmt.Errorf("%s: %q is no kind of broker; write docker, process or kfake", envKind, kind)
	case brokers != "":
		kinds = []Kind{External}
	}
	var enough func(Kind) bool
	switch require {
	case "":
		return kinds, nil
	case "docker":
		enough = func(k Kind) bool { return k == Docker }
	case "kafka":
		enough = func(k Kind) bool { return k != Embedded }
	default:
		return nil, fmt.Errorf("%s: %q is no requirement; write docker or kafka", envRequire, require)
	}
	var left []Kind
	for _, k := range kinds {
		if enough(k) {
			left = append(left, k)
		}
	}
	if len(left) == 0 {
		return nil, fmt.Errorf("%s=%s rules out %v, which %s or %s asks for", envRequire, require, kinds, envKind, envBrokers)
	}
	return left, nil
}

// available says why a kind cannot be had on this machine.
func available(ctx context.Context, kind Kind) error {
	switch kind {
	case Docker:
		return dockerAnswers(ctx)
	case Process:
		for _, program := range []string{"java", "mvn"} {
			if _, err := exec.LookPath(program); err != nil {
				return fmt.Errorf("look for %s: %w", program, err)
			}
		}
	case External, Embedded:
	}
	return nil
}

var errNoDocker = errors.New("docker does not answer")

func dockerAnswers(ctx context.Context) (err error) {
	// testcontainers panics when it finds no Docker host at all.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", errNoDocker, r)
		}
	}()
	provider, err := testcontainers.NewDockerProvider()
	if err != nil {
		return fmt.Errorf("%w: %w", errNoDocker, err)
	}
	if err := provider.Health(ctx); err != nil { // it closes the provider
		return fmt.Errorf("%w: %w", errNoDocker, err)
	}
	return nil
}

// Chosen reports whether the environment says which broker to take.
func Chosen() bool { return os.Getenv(envBrokers) != "" || os.Getenv(envKind) != "" }

// Start starts a broker of the kind, for those who can use no other.
func Start(ctx context.Context, kind Kind) (*Broker, error) {
	if err := available(ctx, kind); err != nil {
		return nil, fmt.Errorf("no %s broker: %w", kind, err)
	}
	return start(ctx, kind, options{})
}

// start starts a broker of the kind, or connects to the external one.
func start(ctx context.Context, kind Kind, opts options) (*Broker, error) {
	broker := &Broker{Kind: kind, opts: opts}
	var err error
	switch kind {
	case Docker:
		err = broker.startContainer(ctx)
	case Process:
		err = broker.startProcess(ctx)
	case Embedded:
		err = broker.startEmbedded()
	case External:
		broker.Addrs = strings.Split(os.Getenv(envBrokers), ",")
	}
	if err == nil {
		err = broker.ready(ctx)
	}
	if err == nil && broker.Secure != nil {
		err = broker.addUser(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, broker.Close())
	}
	return broker, nil
}
