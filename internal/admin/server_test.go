package admin_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"streamer/internal/admin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// healthy are deps of a service without troubles.
func healthy() admin.Deps {
	return admin.Deps{
		Status:  func() admin.Status { return admin.Status{Version: "v1", Instance: "a<b", State: admin.StateIdle} },
		Live:    func() error { return nil },
		Ready:   func() error { return nil },
		Metrics: prometheus.NewRegistry(),
		Logger:  slog.New(slog.DiscardHandler),
	}
}

// serve runs a server on a free port until the test ends and returns its URL.
func serve(t *testing.T, deps admin.Deps) string {
	t.Helper()
	server := admin.New(admin.Config{Listen: "127.0.0.1:0"}, deps)
	if err := server.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	return "http://" + server.Addr()
}

func ask(t *testing.T, method, url string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, strings.TrimSpace(string(body))
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	stuck := &admin.StallError{Stage: "union", For: 90 * time.Second, Limit: time.Minute}
	endless := admin.Status{Partitions: []admin.Partition{{LagSeconds: math.Inf(1)}}}
	tests := map[string]struct {
		method, path string
		change       func(*admin.Deps)
		code         int
		body         string
	}{
		"live":      {path: "/livez", code: 200, body: `{"status":"live"}`},
		"live head": {method: http.MethodHead, path: "/livez", code: 200},
		"stalled": {
			path: "/livez", change: func(d *admin.Deps) { d.Live = func() error { return stuck } }, code: 503,
			body: `{"status":"stalled","reason":"` + stuck.Error() + `","stage":"union","stalled_seconds":90}`,
		},
		"stalled without a stage": {
			path: "/livez", change: func(d *admin.Deps) { d.Live = func() error { return io.ErrNoProgress } }, code: 503,
			body: `{"status":"stalled","reason":"multiple Read calls return no data or error"}`,
		},
		"ready": {path: "/readyz", code: 200, body: `{"status":"ready"}`},
		"not ready": {
			path: "/readyz", code: 503, body: `{"status":"not ready","reason":"no broker of <kafka:9092> answers"}`,
			change: func(d *admin.Deps) {
				d.Ready = func() error { return errors.New("no broker of <kafka:9092> answers") }
			},
		},
		"not ready for a while": {
			path: "/readyz", code: 503, body: `{"status":"not ready","reason":"broker-lost: EOF","not_ready_seconds":12.5}`,
			change: func(d *admin.Deps) {
				d.Ready = func() error {
					return &admin.NotReadyError{Err: fmt.Errorf("broker-lost: %w", io.EOF), For: 12500 * time.Millisecond}
				}
			},
		},
		"status that JSON cannot hold": {
			path: "/api/v1/status", change: func(d *admin.Deps) { d.Status = func() admin.Status { return endless } },
			code: 500, body: `{"error":"the answer could not be encoded; see the log"}`,
		},
		"unknown page": {path: "/status", code: 404, body: `{"error":"no page /status; see / for the pages there are"}`},
		"wrong method": {
			method: http.MethodPost, path: "/livez", code: 405, body: `{"error":"method POST is not allowed; use GET"}`,
		},
		"wrong method of no page": {
			method: http.MethodDelete, path: "/x", code: 405, body: `{"error":"method DELETE is not allowed; use GET"}`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			deps := healthy()
			if test.change != nil {
				test.change(&deps)
			}
			response, body := ask(t, test.method, serve(t, deps)+test.path)
			if response.StatusCode != test.code || body != test.body {
				t.Errorf("%d %s\nwant %d %s", response.StatusCode, body, test.code, test.body)
			}
			if kind := response.Header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
				t.Errorf("content type %q, want JSON", kind)
			}
			if cache := response.Header.Get("Cache-Control"); cache != "no-store" {
				t.Errorf("cache control %q: a cached answer outlives its truth", cache)
			}
		})
	}
}

func TestStatusHasListsAndNoNull(t *testing.T) {
	t.Parallel()
	_, body := ask(t, http.MethodGet, serve(t, healthy())+"/api/v1/status")
	for _, part := range []string{`"partitions":[]`, `"batches":[]`, `"instance":"a<b"`, `"state":"idle"`} {
		if !strings.Contains(body, part) {
			t.Errorf("no %s in %s", part, body)
		}
	}
}

func TestIndexLinksEveryEndpointAndEscapes(t *testing.T) {
	t.Parallel()
	url := serve(t, healthy())
	response, body := ask(t, http.MethodGet, url+"/")
	if kind := response.Header.Get("Content-Type"); kind != "text/html; charset=utf-8" {
		t.Errorf("content type %q", kind)
	}
	for _, path := range []string{"/livez", "/readyz", "/metrics", "/api/v1/status"} {
		if !strings.Contains(body, `href="`+path+`"`) {
			t.Errorf("the page does not link %s", path)
		}
		if response, _ := ask(t, http.MethodGet, url+path); response.StatusCode != http.StatusOK {
			t.Errorf("%s answers %s", path, response.Status)
		}
	}
	if !strings.Contains(body, "a&lt;b") || strings.Contains(body, "a<b") {
		t.Errorf("instance name is not escaped:\n%s", body)
	}
}

// One broken collector must not hide the other metrics.
func TestMetricsSurviveABrokenCollector(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	good := prometheus.NewCounter(prometheus.CounterOpts{Name: "streamer_good_total", Help: "x"})
	broken := prometheus.NewDesc("streamer_broken", "x", nil, nil)
	registry.MustRegister(good, brokenCollector{broken})
	deps := healthy()
	deps.Metrics = registry
	response, body := ask(t, http.MethodGet, serve(t, deps)+"/metrics")
	if response.StatusCode != http.StatusOK || !strings.Contains(body, "streamer_good_total 0") {
		t.Errorf("%s\n%s", response.Status, body)
	}
}

type brokenCollector struct{ desc *prometheus.Desc }

func (b brokenCollector) Describe(descs chan<- *prometheus.Desc) { descs <- b.desc }

func (b brokenCollector) Collect(metrics chan<- prometheus.Metric) {
	metrics <- prometheus.NewInvalidMetric(b.desc, io.ErrUnexpectedEOF)
}

func TestTakenPortFailsAtStart(t *testing.T) {
	t.Parallel()
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	address := taken.Addr().String()
	err = admin.New(admin.Config{Listen: address}, healthy()).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), `open admin.listen "`+address+`"`) ||
		!strings.Contains(err.Error(), "choose a free port") {
		t.Errorf("error %v names no field, value and remedy", err)
	}
}

// A reader that never reads must not hold up a stop for longer than the grace; the request in progress is cut.
func TestStopCutsARequestThatDoesNotEnd(t *testing.T) {
	t.Parallel()
	entered, release := make(chan struct{}), make(chan struct{})
	deps := healthy()
	deps.Ready = func() error {
		close(entered)
		<-release
		return nil
	}
	server := admin.New(admin.Config{Listen: "127.0.0.1:0"}, deps)
	if err := server.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	<-entered
	cancel()
	if err := <-done; err != nil {
		t.Errorf("run: %v", err)
	}
	close(release)
}

func TestValidate(t *testing.T) {
	t.Parallel()
	if faults := admin.DefaultConfig().Validate(); len(faults) > 0 {
		t.Errorf("defaults are at fault: %v", faults)
	}
	for _, listen := range []string{":4040", "[::1]:0", "localhost:65535"} {
		if faults := (admin.Config{Listen: listen, StallTimeout: 1 << 40}).Validate(); len(faults) > 0 {
			t.Errorf("%s: %v", listen, faults)
		}
	}
	for _, listen := range []string{"", "4040", "localhost", "x:65536", "x:-1", "x:http", "::1:4040"} {
		faults := (admin.Config{Listen: listen, StallTimeout: 1 << 40}).Validate()
		if len(faults) != 1 || faults[0].Field != "admin.listen" || faults[0].Value != listen {
			t.Errorf("%q: %v, want one fault at admin.listen", listen, faults)
		}
	}
	faults := (admin.Config{Listen: ":1", StallTimeout: 1}).Validate()
	if len(faults) != 1 || faults[0].Field != "admin.stall_timeout" {
		t.Errorf("a stall timeout of 1ns: %v", faults)
	}
}
