package kafkatest

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"streamer/integration/child"
	"streamer/integration/loopback"
	"streamer/integration/proxy"
)

//go:embed log4j2.properties
var log4j []byte

// processNode is a broker from Maven's jars, in a child process.
type processNode struct {
	dir   string
	jars  string
	child *child.Process // nil before the first start
}

func (b *Broker) startProcess(ctx context.Context) error {
	libs, err := jars(ctx)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "streamer-kafka-")
	if err != nil {
		return fmt.Errorf("make broker's folder: %w", err)
	}
	node := &processNode{dir: dir, jars: libs}
	b.node, b.closers = node, append(b.closers, node.remove)
	config, err := b.processSettings(ctx, dir)
	if err != nil {
		return err
	}
	for name, content := range map[string]string{"server.properties": properties(config), "log4j2.properties": string(log4j)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	format := node.java(ctx, "kafka.tools.StorageTool", "format", "-t", "AAAAAAAAAAAAAAAAAAAAAA", "-c", node.config())
	if out, err := format.CombinedOutput(); err != nil {
		return fmt.Errorf("format broker's storage: %w\n%s", err, out)
	}
	return node.restart(ctx)
}

// processSettings chooses ports, makes the proxies and certificates, and returns the configuration.
func (b *Broker) processSettings(ctx context.Context, dir string) (map[string]string, error) {
	var ports [proxies + 4]string
	for i := range ports {
		addr, err := loopback.FreeAddr(ctx)
		if err != nil {
			return nil, err
		}
		ports[i] = addr
	}
	secure, err := writeCertificates(dir)
	if err != nil {
		return nil, err
	}
	secure.Addr, secure.OAuth = ports[2], ports[3]
	b.Addrs, b.Secure = []string{ports[0]}, secure
	listeners := []listener{
		{name: "BROKER", protocol: plaintext, bind: ports[0], advertised: ports[0]},
		{name: "CONTROLLER", protocol: plaintext, bind: ports[1]},
		{name: "SECURE", protocol: saslSSL, bind: ports[2], advertised: ports[2]},
		{name: "OAUTH", protocol: saslSSL, bind: ports[3], advertised: ports[3]},
	}
	b.proxied = make(chan *proxy.Proxy, proxies)
	for i, bind := range ports[4:] {
		p, err := b.newProxy(ctx)
		if err != nil {
			return nil, err
		}
		p.SetUpstream(bind)
		b.proxied <- p
		listeners = append(listeners,
			listener{name: fmt.Sprintf("PROXY%d", i), protocol: plaintext, bind: bind, advertised: p.Addr()})
	}
	config := settings(listeners, secureSettings(secure, filepath.Join(dir, keystoreFile)))
	config["controller.quorum.voters"] = "1@" + ports[1]
	config["log.dirs"] = filepath.Join(dir, "data")
	maps.Copy(config, b.opts.settings)
	return config, nil
}

func (b *Broker) newProxy(ctx context.Context) (*proxy.Proxy, error) {
	p, err := proxy.Listen(ctx)
	if err != nil {
		return nil, err
	}
	b.closers = append(b.closers, p.Close)
	return p, nil
}

func (n *processNode) config() string { return filepath.Join(n.dir, "server.properties") }

func (n *processNode) java(ctx context.Context, args ...string) *exec.Cmd {
	options := []string{
		"-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Dlog4j2.configurationFile=" + filepath.Join(n.dir, "log4j2.properties"),
		"-cp", filepath.Join(n.jars, "*"),
	}
	//nolint:gosec // the jars are those that we fetched
	return exec.CommandContext(ctx, "java", append(options, args...)...)
}

func (n *processNode) restart(ctx context.Context) error {
	// The broker outlives the call; its end is remove.
	started, err := child.Start(n.java(context.WithoutCancel(ctx), "kafka.Kafka", n.config()))
	if err != nil {
		return fmt.Errorf("start broker: %w", err)
	}
	n.child = started
	return nil
}

func (n *processNode) stop(ctx context.Context) error {
	if err := n.child.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop broker: %w", err)
	}
	if _, err := n.child.Wait(ctx); err != nil && ctx.Err() != nil {
		return fmt.Errorf("stop broker: %w", err)
	}
	return nil
}

func (n *processNode) kill(context.Context) error { return n.child.Kill() }

func (n *processNode) renew(context.Context) error { return nil } // it reads the file itself

func (n *processNode) log(context.Context) string {
	if n.child == nil {
		return ""
	}
	const lines = 60
	return n.child.Stderr.Last(lines) + n.child.Stdout.Last(lines)
}

func (n *processNode) remove() error {
	var errs []error
	if n.child != nil {
		errs = append(errs, n.child.Kill())
	}
	return errors.Join(append(errs, os.RemoveAll(n.dir))...)
}
