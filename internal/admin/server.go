package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Bounds on one request. Without them a client that sends a byte a minute holds a goroutine and a socket for ever.
const (
	readTimeout    = 5 * time.Second
	writeTimeout   = 30 * time.Second // a scrape of 1,000 partitions over a slow link
	idleTimeout    = 2 * time.Minute  // above Prometheus' usual scrape intervals, so that connections are reused
	closeTimeout   = time.Second      // a stop does not wait longer than this for a reader
	maxHeaderBytes = 16 << 10
)

// Deps is what the server asks. Each function is called once per request, from the request's goroutine.
type Deps struct {
	Status func() Status
	// Live returns nil, or which stage is stuck and for how long; see [Watch.Live].
	Live func() error
	// Ready returns nil once the service has joined its group and reaches its brokers, else the reason why not.
	Ready   func() error
	Metrics prometheus.Gatherer
	Logger  *slog.Logger
}

// Server is the admin server. Listen and Run are called once, by one goroutine.
type Server struct {
	address  string
	listener net.Listener
	http     *http.Server
}

// New makes a server that does not listen yet.
func New(cfg Config, deps Deps) *Server {
	return &Server{
		address: cfg.Listen,
		http: &http.Server{
			Handler:           handler(deps),
			ReadTimeout:       readTimeout,
			ReadHeaderTimeout: readTimeout,
			WriteTimeout:      writeTimeout,
			IdleTimeout:       idleTimeout,
			MaxHeaderBytes:    maxHeaderBytes,
			ErrorLog:          slog.NewLogLogger(deps.Logger.Handler(), slog.LevelWarn),
		},
	}
}

// Listen opens the port. Call it before the service joins its group: a process that cannot be watched should not take
// partitions from one that can.
func (s *Server) Listen(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.address)
	if err != nil {
		return fmt.Errorf("open admin.listen %q: %w; choose a free port, or stop what uses it", s.address, err)
	}
	s.listener = listener
	return nil
}

// Addr is the address listened on, with the real port if 0 was asked for; empty before Listen.
func (s *Server) Addr() string {
	if s.listener == nil {
		return ""
	}
	return s.listener.Addr().String()
}

// Run serves until ctx ends and then returns nil. Let ctx end after the drain, so that health and status can be asked
// while the service stops. It listens first if Listen was not called.
func (s *Server) Run(ctx context.Context) error {
	if s.listener == nil {
		if err := s.Listen(ctx); err != nil {
			return err
		}
	}
	served := make(chan error, 1)
	go func() { served <- s.http.Serve(s.listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve admin: %w", err)
	case <-ctx.Done():
	}
	err := s.stop(ctx)
	if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, fmt.Errorf("serve admin: %w", ended))
	}
	return err
}

// stop lets requests in progress end, for closeTimeout at most.
func (s *Server) stop(ctx context.Context) error {
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	err := s.http.Shutdown(grace)
	if err != nil {
		err = s.http.Close() // a reader that does not read; the answer is lost, the stop is not
	}
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("close admin: %w", err)
	}
	return nil
}
