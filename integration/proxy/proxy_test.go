package proxy_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"streamer/integration/eventually"
	"streamer/integration/proxy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo starts a server that sends back each line, and a proxy before it.
func echo(t *testing.T) *proxy.Proxy {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(conn, conn); _ = conn.Close() }()
		}
	}()
	p, err := proxy.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p.SetUpstream(listener.Addr().String())
	t.Cleanup(func() {
		if err := errors.Join(p.Close(), listener.Close()); err != nil {
			t.Error(err)
		}
	})
	return p
}

func dial(t *testing.T, p *proxy.Proxy) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func send(t *testing.T, conn net.Conn) {
	t.Helper()
	if _, err := conn.Write([]byte("line\n")); err != nil {
		t.Fatal(err)
	}
}

func receive(conn net.Conn, within time.Duration) error {
	if err := conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	_, err := bufio.NewReader(conn).ReadString('\n')
	return err
}

func TestPassHangPass(t *testing.T) {
	t.Parallel()
	p := echo(t)
	conn := dial(t, p)
	send(t, conn)
	if err := receive(conn, time.Minute); err != nil {
		t.Fatal(err)
	}
	p.Hang()
	send(t, conn)
	if err := receive(conn, 50*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("a hung proxy answered: %v", err)
	}
	p.Pass()
	if err := receive(conn, time.Minute); err != nil {
		t.Fatalf("what was held did not pass: %v", err)
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	p := echo(t)
	old := dial(t, p)
	send(t, old)
	if err := receive(old, time.Minute); err != nil {
		t.Fatal(err)
	}
	p.Cut()
	if err := receive(old, time.Minute); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a cut connection: %v", err)
	}
	fresh := dial(t, p)
	if err := receive(fresh, time.Minute); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a new connection while cut: %v", err)
	}
	p.Pass()
	eventually.Holds(t, time.Minute, "connections to pass again", func(context.Context) error {
		conn := dial(t, p)
		send(t, conn)
		return receive(conn, time.Second)
	})
}

func TestDelay(t *testing.T) {
	t.Parallel()
	p := echo(t)
	conn := dial(t, p)
	p.Delay(time.Hour)
	send(t, conn)
	if err := receive(conn, 50*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("what is to come in an hour came at once: %v", err)
	}
	p.Delay(time.Millisecond) // of what is waiting too
	if err := receive(conn, time.Minute); err != nil {
		t.Fatal(err)
	}
}

func TestTrickle(t *testing.T) {
	t.Parallel()
	p := echo(t)
	conn := dial(t, p)
	p.Trickle()
	send(t, conn)
	first := make([]byte, 1)
	if _, err := io.ReadFull(conn, first); err != nil || first[0] != 'l' {
		t.Fatalf("the first byte: %q, %v", first, err)
	}
	if err := receive(conn, 50*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("the rest came at once: %v", err)
	}
	p.Pass()
	if err := receive(conn, time.Minute); err != nil {
		t.Fatalf("the rest did not pass: %v", err)
	}
}

func TestTear(t *testing.T) {
	t.Parallel()
	p := echo(t)
	conn := dial(t, p)
	p.Tear()
	if _, err := conn.Write([]byte("line\n")); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(conn)
	if string(got) != "li" || err == nil {
		t.Errorf("got %q, %v; want half of the answer and a reset", got, err)
	}
}
