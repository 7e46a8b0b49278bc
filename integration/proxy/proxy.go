// Package proxy is a TCP proxy between a client and a server that a test can cut, hang, slow down or tear, to act the
// network's part in a fault.
//
// One goroutine accepts; each connection has two, one per direction. They end when the connection, or the proxy, is
// closed; Close waits for them.
package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// mode is what happens to bytes.
type mode int

const (
	passing   mode = iota
	hanging        // connections stay open and are accepted, nothing passes
	cutting        // connections are reset and none is accepted for longer than it takes to close it
	delaying       // each piece waits before it passes
	trickling      // one byte a second passes, in each direction of each connection
	tearing        // half of the next answer passes, then its connection is reset
)

// Proxy forwards connections to one upstream address.
type Proxy struct {
	listener net.Listener
	wait     sync.WaitGroup

	mu       sync.Mutex // guards what follows: the test changes the mode while connections look at it
	upstream string
	mode     mode
	delay    time.Duration // of delaying
	changed  chan struct{} // closed and replaced when the mode changes
	conns    map[net.Conn]struct{}
	closed   bool
}

// Listen starts a proxy on a free port of the loopback interface. Until SetUpstream is called connections are refused.
func Listen(ctx context.Context) (*Proxy, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for proxy: %w", err)
	}
	p := &Proxy{listener: listener, changed: make(chan struct{}), conns: map[net.Conn]struct{}{}}
	p.wait.Go(p.accept)
	return p, nil
}

// Addr is where clients connect, as host:port.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// SetUpstream says where connections go from now on.
func (p *Proxy) SetUpstream(addr string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.upstream = addr
}

// Hang keeps connections open but lets no byte pass, as a frozen server does. Bytes that are on their way are kept and
// pass after Pass.
func (p *Proxy) Hang() { p.set(hanging) }

// Cut resets all connections and every new one, as a dead server's host does.
func (p *Proxy) Cut() {
	p.set(cutting)
	p.CloseConnections()
}

// Delay lets every piece of data pass so much later, as a far or an overloaded network does. A piece is what one read
// returns, so it bounds the throughput too.
func (p *Proxy) Delay(d time.Duration) {
	p.mu.Lock()
	p.delay = d
	p.mu.Unlock()
	p.set(delaying)
}

// Trickle lets one byte a second pass in each direction of each connection, as a link does that is all but dead.
func (p *Proxy) Trickle() { p.set(trickling) }

// Tear lets half of a server's next answer pass on each connection, and then resets it.
func (p *Proxy) Tear() { p.set(tearing) }

// Pass lets everything through again.
func (p *Proxy) Pass() { p.set(passing) }

// CloseConnections resets all connections once; new ones are treated as the mode says.
func (p *Proxy) CloseConnections() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.conns {
		reset(conn)
	}
}

// Close ends the proxy and all connections.
func (p *Proxy) Close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	err := p.listener.Close()
	p.set(cutting)
	p.CloseConnections()
	p.wait.Wait()
	if err != nil {
		return fmt.Errorf("close proxy: %w", err)
	}
	return nil
}

func (p *Proxy) set(m mode) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mode = m
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *Proxy) look() (mode, time.Duration, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mode, p.delay, p.changed
}

func (p *Proxy) target() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.upstream
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // such as a client that was gone before it was accepted
		}
		if !p.track(client) {
			continue
		}
		p.wait.Go(func() { p.serve(client) })
	}
}

// track takes the connection into the set that Cut and Close end, or closes it at once.
func (p *Proxy) track(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.mode == cutting {
		reset(conn)
		return false
	}
	p.conns[conn] = struct{}{}
	return true
}

func (p *Proxy) forget(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, conn)
	_ = conn.Close() // closing twice is harmless
}

// reset closes a connection as a dead host does. A polite end would be taken for something else: to a Kafka client it
// looks like a listener that wants TLS.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // else it ends politely
	}
	_ = conn.Close() // it is gone either way
}

func (p *Proxy) serve(client net.Conn) {
	defer p.forget(client)
	server, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", p.target())
	if err != nil {
		reset(client)
		return
	}
	if !p.track(server) {
		return
	}
	defer p.forget(server)
	var back sync.WaitGroup
	back.Go(func() {
		p.copy(client, server, true)
		_ = client.Close() // wakes the other direction
	})
	p.copy(server, client, false)
	_ = server.Close() // wakes the other direction
	back.Wait()
}

// copy moves bytes until either end closes, as the mode says.
func (p *Proxy) copy(to, from net.Conn, answers bool) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 && !p.forward(to, buf[:n], answers) {
			reset(to)
			reset(from)
			return
		}
		if err != nil {
			return
		}
	}
}

// forward writes one piece of data. It is false when the connection is to be reset.
func (p *Proxy) forward(to io.Writer, piece []byte, answers bool) bool {
	waited := false
	for len(piece) > 0 {
		m, delay, changed := p.look()
		size := len(piece)
		switch m {
		case passing:
		case cutting:
			return false
		case hanging:
			<-changed
			continue
		case delaying:
			if !waited {
				waited = true
				pause(delay, changed)
				continue
			}
		case trickling:
			size = 1
		case tearing:
			if answers {
				_, _ = to.Write(piece[:size/2])
				return false
			}
		}
		if _, err := to.Write(piece[:size]); err != nil {
			return false
		}
		if piece = piece[size:]; m == trickling {
			pause(time.Second, changed)
		}
	}
	return true
}

// pause waits, but not longer than the mode stays as it is.
func pause(d time.Duration, changed <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-changed:
	}
}
