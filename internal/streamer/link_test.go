package streamer

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
)

// link is a member's way to the broker, which can be cut and mended.
type link struct {
	dial func(context.Context, string, string) (net.Conn, error)

	mu    sync.Mutex
	down  bool
	conns []net.Conn
}

func (l *link) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	conn, err := l.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	l.conns = append(l.conns, conn)
	return tcp{conn}, nil
}

func (l *link) isDown() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.down
}

func (l *link) cut(down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = down
	for _, conn := range l.conns {
		_ = conn.Close()
	}
	l.conns = nil
}

// tcp has the errors of a network connection where a pipe has its own.
type tcp struct{ net.Conn }

func (c tcp) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	return n, networkError("read", err)
}

func (c tcp) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	return n, networkError("write", err)
}

func networkError(op string, err error) error {
	if errors.Is(err, io.ErrClosedPipe) {
		return &net.OpError{Op: op, Net: "tcp", Err: net.ErrClosed}
	}
	return err
}
