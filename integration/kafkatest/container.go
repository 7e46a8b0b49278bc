package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/network"
	"github.com/testcontainers/testcontainers-go/wait"

	"streamer/integration/proxy"
)

// containerNode is a broker in a container. Docker gives it new host ports at each start, while a broker must advertise
// its address before it starts. So each listener for the host stands behind a proxy whose address never changes.
type containerNode struct {
	container *testcontainers.DockerContainer
	network   *testcontainers.DockerNetwork
	dir       string
	ways      map[int]*proxy.Proxy // by container port
}

// Ports in the container, and its name in its network.
const (
	hostPort       = 9092
	controllerPort = 9093
	networkPort    = 9094
	securePort     = 9095
	oauthPort      = 9096
	firstProxyPort = 9097
	networkAlias   = "kafka"
	containerStore = "/tmp/" + keystoreFile
	keystoreMode   = 0o644 // the broker is not the user that copies it
)

func (b *Broker) startContainer(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "streamer-kafka-")
	if err != nil {
		return fmt.Errorf("make broker's folder: %w", err)
	}
	node := &containerNode{dir: dir, ways: map[int]*proxy.Proxy{}}
	b.node, b.closers = node, append(b.closers, node.remove)
	if b.Secure, err = writeCertificates(dir); err != nil {
		return err
	}
	listeners, err := b.containerListeners(ctx, node)
	if err != nil {
		return err
	}
	if node.network, err = network.New(ctx); err != nil {
		return fmt.Errorf("make network: %w", err)
	}
	b.Network, b.InNetwork = node.network.Name, fmt.Sprintf("%s:%d", networkAlias, networkPort)
	config := settings(listeners, secureSettings(b.Secure, containerStore))
	config["controller.quorum.voters"] = fmt.Sprintf("1@localhost:%d", controllerPort)
	maps.Copy(config, b.opts.settings)
	if err := node.run(ctx, config); err != nil {
		return err
	}
	return node.connect(ctx)
}

// containerListeners makes the proxies and the listeners behind them.
func (b *Broker) containerListeners(ctx context.Context, node *containerNode) ([]listener, error) {
	behind := func(name, protocol string, port int) (listener, error) {
		p, err := b.newProxy(ctx)
		if err != nil {
			return listener{}, err
		}
		node.ways[port] = p
		return listener{name: name, protocol: protocol, bind: fmt.Sprintf("0.0.0.0:%d", port), advertised: p.Addr()}, nil
	}
	host, err := behind("HOST", plaintext, hostPort)
	if err != nil {
		return nil, err
	}
	secure, err := behind("SECURE", saslSSL, securePort)
	if err != nil {
		return nil, err
	}
	oauth, err := behind("OAUTH", saslSSL, oauthPort)
	if err != nil {
		return nil, err
	}
	b.Addrs, b.Secure.Addr, b.Secure.OAuth = []string{host.advertised}, secure.advertised, oauth.advertised
	inNetwork := fmt.Sprintf(":%d", networkPort)
	listeners := []listener{
		host, secure, oauth,
		{name: "BROKER", protocol: plaintext, bind: "0.0.0.0" + inNetwork, advertised: networkAlias + inNetwork},
		{name: "CONTROLLER", protocol: plaintext, bind: fmt.Sprintf("localhost:%d", controllerPort)},
	}
	b.proxied = make(chan *proxy.Proxy, proxies)
	for i := range proxies {
		l, err := behind(fmt.Sprintf("PROXY%d", i), plaintext, firstProxyPort+i)
		if err != nil {
			return nil, err
		}
		b.proxied <- node.ways[firstProxyPort+i]
		listeners = append(listeners, l)
	}
	return listeners, nil
}

func (n *containerNode) run(ctx context.Context, config map[string]string) error {
	env := environment(config)
	env["KAFKA_HEAP_OPTS"] = "-Xmx512m -Xms256m"
	var ports []string
	for port := range n.ways {
		ports = append(ports, fmt.Sprintf("%d/tcp", port))
	}
	container, err := testcontainers.Run(ctx, Image,
		testcontainers.WithEnv(env),
		testcontainers.WithExposedPorts(ports...),
		network.WithNetwork([]string{networkAlias}, n.network),
		testcontainers.WithFiles(testcontainers.ContainerFile{
			HostFilePath: filepath.Join(n.dir, keystoreFile), ContainerFilePath: containerStore, FileMode: keystoreMode,
		}),
		testcontainers.WithWaitStrategyAndDeadline(time.Minute, wait.ForLog("Kafka Server started")),
	)
	n.container = container
	if err != nil {
		return fmt.Errorf("run %s: %w\n%s", Image, err, n.log(ctx))
	}
	return nil
}

// connect points the proxies at the host ports that the container has since its last start.
func (n *containerNode) connect(ctx context.Context) error {
	host, err := n.container.Host(ctx)
	if err != nil {
		return fmt.Errorf("find container's host: %w", err)
	}
	for port, way := range n.ways {
		mapped, err := n.container.MappedPort(ctx, fmt.Sprintf("%d/tcp", port))
		if err != nil {
			return fmt.Errorf("find container's port %d: %w", port, err)
		}
		way.SetUpstream(net.JoinHostPort(host, strconv.Itoa(int(mapped.Num()))))
	}
	return nil
}

func (n *containerNode) stop(ctx context.Context) error {
	patience := 30 * time.Second
	return n.container.Stop(ctx, &patience) //nolint:wrapcheck // says what it did
}

func (n *containerNode) kill(ctx context.Context) error {
	var none time.Duration
	return n.container.Stop(ctx, &none) //nolint:wrapcheck // says what it did
}

func (n *containerNode) restart(ctx context.Context) error {
	if err := n.container.Start(ctx); err != nil {
		return fmt.Errorf("start container again: %w", err)
	}
	return n.connect(ctx)
}

func (n *containerNode) renew(ctx context.Context) error {
	err := n.container.CopyFileToContainer(ctx, filepath.Join(n.dir, keystoreFile), containerStore, keystoreMode)
	if err != nil {
		return fmt.Errorf("renew container's keystore: %w", err)
	}
	return nil
}

func (n *containerNode) log(ctx context.Context) string {
	if n.container == nil {
		return ""
	}
	reader, err := n.container.Logs(ctx)
	if err != nil {
		return err.Error()
	}
	defer reader.Close()
	text, _ := io.ReadAll(reader)
	const keep = 60
	lines := strings.Split(string(text), "\n")
	return strings.Join(lines[max(0, len(lines)-keep):], "\n")
}

func (n *containerNode) remove() error {
	var errs []error
	if n.container != nil {
		errs = append(errs, testcontainers.TerminateContainer(n.container, testcontainers.StopTimeout(0)))
	}
	if n.network != nil {
		errs = append(errs, n.network.Remove(context.Background()))
	}
	return errors.Join(append(errs, os.RemoveAll(n.dir))...)
}
