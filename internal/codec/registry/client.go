package registry

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/sr"
)

const (
	// maxAnswer bounds what is read of one answer: a registry keeps schemas in Kafka records of at most 1 MiB.
	maxAnswer = 8 << 20
	// leastPause and mostPause bound the time between two rounds over the URLs, as the sink's retries.
	leastPause = 100 * time.Millisecond
	mostPause  = 10 * time.Second
)

// Client asks one registry. It may be used from any goroutine.
type Client struct {
	config  Config
	http    *http.Client
	urls    []*sr.Client
	first   atomic.Uint32 // the place of the URL that answered last
	metrics *metrics

	schemas *cache[int32, *Schema]
	ids     *cache[registration, version]

	mu      sync.Mutex // guards waiting
	waiting map[*int]error
}

// New makes a client; it asks nothing yet. config must be valid. secure may be nil; then the system's authorities count.
// Close must be called when nobody asks any more.
func New(config Config, secure *tls.Config, registerer prometheus.Registerer) (*Client, error) {
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		TLSClientConfig:     secure,
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: 4,
		IdleConnTimeout:     90 * time.Second,
	}
	return newClient(config, transport, registerer)
}

func newClient(config Config, transport http.RoundTripper, registerer prometheus.Registerer) (*Client, error) {
	c := &Client{
		config: config, http: &http.Client{Transport: bounded{transport}}, waiting: map[*int]error{},
		schemas: newCache[int32, *Schema](), ids: newCache[registration, version](),
	}
	c.metrics = newMetrics(registerer, func() float64 { return float64(c.schemas.size()) })
	for _, url := range config.URLs {
		client, err := sr.NewClient(
			sr.URLs(url), sr.HTTPClient(c.http), sr.UserAgent("streamer"), sr.PreReq(c.login), sr.LogLevel(sr.LogLevelNone),
		)
		if err != nil {
			return nil, fmt.Errorf("make registry client: %w", err)
		}
		c.urls = append(c.urls, client)
	}
	return c, nil
}

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Waiting returns why requests that are under way have not succeeded yet; nil if none has failed.
func (c *Client) Waiting() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, err := range c.waiting {
		return fmt.Errorf("schema registry: %w", err)
	}
	return nil
}

// login adds the credentials. Files are read each time, so that a rotated secret is used by the next request.
func (c *Client) login(request *http.Request) error {
	if c.config.Username != "" {
		password, err := secret(c.config.Password, c.config.PasswordFile)
		if err != nil {
			return fmt.Errorf("password_file %w", err)
		}
		request.SetBasicAuth(c.config.Username, password)
		return nil
	}
	token, err := secret(c.config.BearerToken, c.config.BearerTokenFile)
	if err != nil {
		return fmt.Errorf("bearer_token_file %w", err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return nil
}

// ask makes one request of the registry until it is answered for good or ctx ends.
func (c *Client) ask(ctx context.Context, request func(context.Context, *sr.Client) error) error {
	mark := new(int)
	defer c.wait(mark, nil)
	pause := leastPause
	for {
		err := c.askAll(ctx, request)
		if result := classify(err); result != resultUnavailable && result != resultUnauthorized {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		c.wait(mark, err)
		timer := time.NewTimer(pause - time.Duration(chance()*float64(pause)/2))
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
		pause = min(2*pause, mostPause)
	}
}

// askAll asks each URL once, until one answers for good.
func (c *Client) askAll(ctx context.Context, request func(context.Context, *sr.Client) error) (err error) {
	first := int(c.first.Load())
	for i := range c.urls {
		place := (first + i) % len(c.urls)
		err = c.askOne(ctx, c.urls[place], request)
		if result := classify(err); result != resultUnavailable && result != resultUnauthorized {
			c.first.Store(uint32(place))
			return err
		}
		if ctx.Err() != nil {
			return err
		}
	}
	return err
}

func (c *Client) askOne(ctx context.Context, url *sr.Client, request func(context.Context, *sr.Client) error) error {
	limited, cancel := context.WithTimeout(ctx, time.Duration(c.config.Timeout))
	defer cancel()
	start := time.Now()
	err := request(limited, url)
	if response, ok := errors.AsType[*sr.ResponseError](err); ok {
		err = &answerError{response}
	}
	if ctx.Err() != nil { // given up by us, which says nothing about the registry
		return err
	}
	c.metrics.seconds.Observe(time.Since(start).Seconds())
	c.metrics.requests.WithLabelValues(classify(err)).Inc()
	return err
}

// answerError is an answer that is no success, in one short line: a proxy in front may answer with a page.
type answerError struct{ response *sr.ResponseError }

func (e *answerError) Error() string {
	const most = 200
	text := strings.Join(strings.Fields(e.response.Error()), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return fmt.Sprintf("%s %s answered %d: %s", e.response.Method, e.response.URL, e.response.StatusCode, text)
}

func (e *answerError) Unwrap() error { return e.response }

func (c *Client) wait(mark *int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		delete(c.waiting, mark)
		return
	}
	c.waiting[mark] = err
}

func chance() float64 {
	return rand.Float64() //nolint:gosec // spreads retries in time; nobody gains by guessing it
}

// bounded refuses answers that are too large: whatever answers at a wrong address must not fill the memory.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := b.next.RoundTrip(request)
	if err != nil {
		return nil, err //nolint:wrapcheck // net/http wraps it
	}
	response.Body = &boundedBody{ReadCloser: response.Body, left: maxAnswer}
	return response, nil
}

// CloseIdleConnections is found by http.Client.
func (b bounded) CloseIdleConnections() {
	if closer, ok := b.next.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

type boundedBody struct {
	io.ReadCloser
	left int
}

var errLarge = errors.New("answer is larger than 8 MiB")

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= n; b.left < 0 {
		return 0, errLarge
	}
	return n, err //nolint:wrapcheck // io.EOF among them
}
