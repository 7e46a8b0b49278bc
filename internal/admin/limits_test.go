package admin

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// pipes is a listener without a network, so that virtual time runs.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error { close(p.closed); return nil }

func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// client is a connection to a server that runs until the test ends. What it writes, another goroutine does: the pipe holds
// nothing.
type client struct {
	net.Conn

	start time.Time
	said  *sync.WaitGroup
}

func dial(t *testing.T) client {
	t.Helper()
	server := New(Config{}, Deps{
		Status:  func() Status { return Status{Instance: strings.Repeat("x", 1<<20)} },
		Live:    func() error { return nil },
		Ready:   func() error { return nil },
		Metrics: prometheus.NewRegistry(),
		Logger:  slog.New(slog.DiscardHandler),
	})
	listener := pipes{make(chan net.Conn), make(chan struct{})}
	server.listener = listener
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	ours, theirs := net.Pipe()
	listener.conns <- theirs
	c := client{ours, time.Now(), new(sync.WaitGroup)}
	t.Cleanup(func() {
		_ = ours.Close()
		c.said.Wait()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	return c
}

// say writes without waiting for it to be read.
func (c client) say(text io.Reader) { c.said.Go(func() { _, _ = io.Copy(c, text) }) }

// closedAfter reads until the server closes the connection, and returns how long that took and what it said.
func (c client) closedAfter(t *testing.T) (time.Duration, string) {
	t.Helper()
	said, err := io.ReadAll(c)
	if err != nil {
		t.Errorf("read: %v", err)
	}
	return time.Since(c.start), string(said)
}

// drip gives one byte in each second, without end.
type drip struct{ text io.Reader }

func (d drip) Read(p []byte) (int, error) {
	<-time.After(time.Second)
	n, err := d.text.Read(p[:1])
	if errors.Is(err, io.EOF) {
		p[0], n, err = 'x', 1, nil
	}
	return n, err
}

const get = "GET /livez HTTP/1.1\r\nHost: x\r\n"

// Whoever does not come to an end is cut off, or a handful of sockets would take all of the process's.
func TestSlowClientsAreCutOff(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		say   io.Reader
		after time.Duration
		said  string
	}{
		"nothing":         {strings.NewReader(""), readTimeout, ""},
		"half a header":   {strings.NewReader(get), readTimeout, ""},
		"a dripping one":  {drip{strings.NewReader(get)}, readTimeout, ""},
		"half a body":     {strings.NewReader("POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx"), readTimeout, "HTTP/1.1 405 "},
		"a dripping body": {io.MultiReader(strings.NewReader("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n"), drip{strings.NewReader("")}), readTimeout, "HTTP/1.1 405 "},
		"no next request": {strings.NewReader(get + "\r\n"), idleTimeout, "HTTP/1.1 200 OK\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := dial(t)
				c.say(test.say)
				if after, said := c.closedAfter(t); (after-test.after).Abs() > time.Second || !strings.HasPrefix(said, test.said) {
					t.Errorf("closed after %v, having said %.80q; want %v and %q", after, said, test.after, test.said)
				}
			})
		})
	}
}

// A reader that does not read holds its answer, and nothing else, for the write timeout.
func TestReaderThatDoesNotReadIsCutOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := dial(t)
		if _, err := io.WriteString(c, "GET /api/v1/status HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		<-time.After(writeTimeout + time.Second)
		if _, said := c.closedAfter(t); len(said) >= 1<<20 {
			t.Error("the whole answer was still there")
		}
	})
}

// What is too large is refused before it is read.
func TestLargeRequests(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ head, want string }{
		"header":   {get + "X: " + strings.Repeat("x", 2*maxHeaderBytes) + "\r\n\r\n", "HTTP/1.1 431 "},
		"headers":  {get + strings.Repeat("X: x\r\n", maxHeaderBytes) + "\r\n", "HTTP/1.1 431 "},
		"path":     {"GET /" + strings.Repeat("x", 2*maxHeaderBytes) + " HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 431 "},
		"body":     {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1099511627776\r\n\r\n", "HTTP/1.1 405 "},
		"chunks":   {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n", "HTTP/1.1 405 "},
		"of a GET": {"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 1099511627776\r\n\r\n", "HTTP/1.1 200 "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := dial(t)
				body := &counted{}
				c.say(io.MultiReader(strings.NewReader(test.head), body))
				_, said := c.closedAfter(t)
				_ = c.Close()
				c.said.Wait()
				if !strings.HasPrefix(said, test.want) || body.given > 1<<20 {
					t.Errorf("said %.80q after %d bytes of body; want %q", said, body.given, test.want)
				}
			})
		})
	}
}

// counted is a body without end.
type counted struct{ given int }

func (c *counted) Read(p []byte) (int, error) {
	c.given += len(p)
	return len(p), nil
}

// No request reaches anything but the pages there are: nothing is served from the file system, and a path that climbs is
// sent to the page that it means, on this host.
func TestPathsAndMethods(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"GET /../../etc/passwd":                     "307 /etc/passwd",
		"GET /..%2f..%2fetc/passwd":                 "404 ",
		"GET /%2e%2e/%2e%2e/etc/passwd":             "404 ",
		"GET /api/v1/status/../../../../etc/passwd": "307 /etc/passwd",
		"GET /livez/../metrics":                     "307 /metrics",
		"GET //example.com/":                        "307 /example.com/",
		"GET //example.com/%2e%2e":                  "307 /example.com/%252e%252e",
		"GET /..//example.com":                      "307 /example.com",
		"GET /etc/passwd":                           "404 ",
		"GET /index.html":                           "404 ",
		"GET /livez%00":                             "404 ",
		"GET /livez/":                               "404 ",
		"GET /%5c..%5cetc":                          "404 ",
		"GET http://example.com/etc/passwd":         "404 ",
		"HEAD /metrics":                             "200 ",
		"PUT /metrics":                              "405 ",
		"PATCH /api/v1/status":                      "405 ",
		"DELETE /":                                  "405 ",
		"OPTIONS *":                                 "200 ",
		"TRACE /livez":                              "405 ",
		"CONNECT example.com:443":                   "405 ",
		"BREW /livez":                               "405 ",
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := dial(t)
				c.say(strings.NewReader(line + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
				method, _, _ := strings.Cut(line, " ")
				response, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
				if err != nil {
					t.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, response.Body)
				if got := response.Status[:4] + response.Header.Get("Location"); got != want {
					t.Errorf("%s; want %s", got, want)
				}
			})
		})
	}
}
