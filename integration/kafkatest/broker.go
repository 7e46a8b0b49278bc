package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"streamer/integration/eventually"
	"streamer/integration/proxy"
)

// Kind is where a broker comes from.
type Kind string

// The kinds, best first.
const (
	External Kind = "external" // named by STREAMER_TEST_BROKERS
	Docker   Kind = "docker"   // a container of Image
	Process  Kind = "process"  // Maven's jars in a child process
	Embedded Kind = "kfake"    // in this process; not real Kafka
)

// node is a broker that we started and can stop.
type node interface {
	// stop ends the broker as an operator would; kill as a power cut would. Data and addresses stay.
	stop(ctx context.Context) error
	kill(ctx context.Context) error
	// restart starts it again.
	restart(ctx context.Context) error
	// renew hands the broker the keystore that was written anew, for its next start.
	renew(ctx context.Context) error
	// log is the end of what the broker wrote.
	log(ctx context.Context) string
	// remove kills the broker and drops its data.
	remove() error
}

// Broker is a Kafka that tests talk to. Its methods may be called by tests that run side by side.
type Broker struct {
	Kind Kind
	// Addrs are the plain listener's addresses.
	Addrs []string
	// Secure are the listeners with TLS and a login; nil when there are none.
	Secure *Secure
	// Network is the Docker network that the broker's container is on; empty for other kinds. Other containers on it
	// use InNetwork as the broker's address.
	Network   string
	InNetwork string

	node    node
	opts    options
	proxied chan *proxy.Proxy // those that no test uses at the moment
	closers []func() error    // in the order of their making

	close sync.Once
}

// Stop ends the broker as an operator would, and waits until it is gone.
func (b *Broker) Stop(ctx context.Context) error { return b.node.stop(ctx) }

// Kill ends the broker at once.
func (b *Broker) Kill(ctx context.Context) error { return b.node.kill(ctx) }

// Restart starts a stopped broker with its data and addresses, and waits until it answers.
func (b *Broker) Restart(ctx context.Context) error {
	if err := b.node.restart(ctx); err != nil {
		return err
	}
	return b.ready(ctx)
}

// Log is the end of what the broker wrote, for failure messages.
func (b *Broker) Log(ctx context.Context) string {
	if b.node == nil {
		return ""
	}
	return b.node.log(ctx)
}

// Real reports whether this is Apache Kafka and not an imitation.
func (b *Broker) Real() bool { return b.Kind != Embedded }

// Ours reports whether we started the broker as a program of its own, so that it can be stopped and has all listeners.
func (b *Broker) Ours() bool { return b.node != nil }

// Proxied lends a way to the broker that the test may cut or hang. A client that connects to its Addr stays on it, for
// the broker advertises that address. It skips the test when the broker has none.
func (b *Broker) Proxied(t *testing.T) *proxy.Proxy {
	t.Helper()
	if b.proxied == nil {
		Skip(t, NeedKafka, "this broker has no listener behind a proxy of ours")
	}
	select {
	case p := <-b.proxied:
		t.Cleanup(func() {
			p.Pass()
			p.CloseConnections()
			b.proxied <- p
		})
		return p
	case <-t.Context().Done():
		t.Fatal("no listener behind a proxy became free")
		return nil
	}
}

// Own starts another broker like this one for a test that will stop it, and removes it when the test ends. It skips the
// test when this broker is not ours to imitate.
func (b *Broker) Own(t *testing.T, settings map[string]string) *Broker {
	t.Helper()
	if !b.Ours() {
		Skip(t, NeedKafka, "needs a broker that can be stopped: Docker, or Java and Maven")
	}
	own, err := start(t.Context(), b.Kind, options{settings: settings})
	if err != nil {
		t.Fatalf("start a broker for this test: %v", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("broker's log:\n%s", own.Log(context.WithoutCancel(t.Context())))
		}
		if err := own.Close(); err != nil {
			t.Errorf("remove broker: %v", err)
		}
	})
	return own
}

// Close removes the broker if it is ours, with all that was started for it.
func (b *Broker) Close() error {
	var errs []error
	b.close.Do(func() {
		for _, closer := range slices.Backward(b.closers) {
			errs = append(errs, closer())
		}
	})
	return errors.Join(errs...)
}

// ready waits until the broker answers requests.
func (b *Broker) ready(ctx context.Context) error {
	admin, err := b.admin()
	if err != nil {
		return err
	}
	defer admin.Close()
	const startPatience = 2 * time.Minute
	err = eventually.Wait(ctx, startPatience, func(ctx context.Context) error {
		// The first group makes the broker create the topic that holds commits, which takes a while.
		coordinator := admin.FindGroupCoordinators(ctx, "ready")
		if err := coordinator.Error(); err != nil {
			return fmt.Errorf("find group coordinator: %w", err)
		}
		if _, err := admin.FetchOffsets(ctx, "ready"); err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
			return fmt.Errorf("ask group coordinator: %w", err)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("wait for broker: %w; its log:\n%s", err, b.Log(context.WithoutCancel(ctx)))
	}
	return nil
}
