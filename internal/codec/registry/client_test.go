package registry

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"
	"go.uber.org/goleak"

	"streamer/internal/setting"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// network answers requests without a network, so that virtual time runs: each host has a handler.
type network map[string]http.Handler

func (n network) RoundTrip(request *http.Request) (*http.Response, error) {
	handler := n[request.URL.Host]
	if handler == nil {
		return nil, errors.New("connection refused")
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	if err := request.Context().Err(); err != nil {
		return nil, err
	}
	return recorder.Result(), nil
}

// fake is a registry with one subject, and what it is asked.
type fake struct {
	*srfake.Registry
	asked atomic.Int64
	// fail answers the request itself, if it returns true.
	fail atomic.Pointer[func(http.ResponseWriter, *http.Request) bool]
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.asked.Add(1)
	if fail := f.fail.Load(); fail != nil && (*fail)(w, r) {
		return
	}
	f.Handler().ServeHTTP(w, r)
}

func (f *fake) failing(answer func(http.ResponseWriter, *http.Request) bool) { f.fail.Store(&answer) }

func status(code int) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(code)
		return true
	}
}

func newFake(t *testing.T) *fake {
	t.Helper()
	f := &fake{Registry: srfake.New()}
	t.Cleanup(f.Close)
	f.SeedSchema("events-value", 1, 7, sr.Schema{Schema: `"string"`})
	return f
}

func newTest(t *testing.T, config Config, hosts network) (*Client, *prometheus.Registry) {
	t.Helper()
	if config.URLs == nil {
		config.URLs = []string{"http://a"}
	}
	config.Timeout = setting.Duration(5 * time.Second)
	registerer := prometheus.NewRegistry()
	c, err := newClient(config, hosts, registerer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, registerer
}

func TestSchemaIsFetchedOnce(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	c, registerer := newTest(t, Config{}, network{"a": f})
	for range 3 {
		schema, err := c.Schema(t.Context(), 7)
		if err != nil || schema.Text != `"string"` || schema.Type != Avro {
			t.Fatalf("got %+v, %v", schema, err)
		}
	}
	if f.asked.Load() != 1 || c.Waiting() != nil {
		t.Errorf("asked %d times, waiting for %v", f.asked.Load(), c.Waiting())
	}
	const want = `
# HELP streamer_schema_registry_cached_schemas Schemas of the registry that are held in memory.
# TYPE streamer_schema_registry_cached_schemas gauge
streamer_schema_registry_cached_schemas 1
# HELP streamer_schema_registry_requests_total Requests to the schema registry, by result.
# TYPE streamer_schema_registry_requests_total counter
streamer_schema_registry_requests_total{result="not_found"} 0
streamer_schema_registry_requests_total{result="ok"} 1
streamer_schema_registry_requests_total{result="refused"} 0
streamer_schema_registry_requests_total{result="unauthorized"} 0
streamer_schema_registry_requests_total{result="unavailable"} 0
`
	if err := testutil.GatherAndCompare(registerer, strings.NewReader(want),
		"streamer_schema_registry_cached_schemas", "streamer_schema_registry_requests_total"); err != nil {
		t.Error(err)
	}
}

func TestUnknownIDIsRememberedForAWhile(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) {
		c, _ := newTest(t, Config{}, network{"a": f})
		for range 3 {
			if _, err := c.Schema(t.Context(), 8); !errors.Is(err, ErrUnknown) {
				t.Fatalf("got %v", err)
			}
		}
		if f.asked.Load() != 1 {
			t.Errorf("asked %d times", f.asked.Load())
		}
		f.SeedSchema("events-value", 2, 8, sr.Schema{Schema: `"long"`})
		<-time.After(keepFailure)
		if schema, err := c.Schema(t.Context(), 8); err != nil || schema.Text != `"long"` {
			t.Errorf("got %+v, %v after it was registered", schema, err)
		}
	})
}

// Those who ask at the same time share one request, which outlives the one that began it.
func TestRequestsForOneIDAreShared(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		f.failing(func(http.ResponseWriter, *http.Request) bool {
			<-release
			return false
		})
		c, _ := newTest(t, Config{}, network{"a": f})
		first, cancel := context.WithCancel(t.Context())
		gone, done := make(chan error), make(chan error, 10)
		go func() {
			_, err := c.Schema(first, 7)
			gone <- err
		}()
		synctest.Wait()
		for range cap(done) {
			go func() {
				_, err := c.Schema(t.Context(), 7)
				done <- err
			}()
		}
		synctest.Wait()
		cancel()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Errorf("the first got %v", err)
		}
		close(release)
		for range cap(done) {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if f.asked.Load() != 1 {
			t.Errorf("asked %d times", f.asked.Load())
		}
	})
}

func TestNextURLAnswersAtOnce(t *testing.T) {
	t.Parallel()
	down, up := newFake(t), newFake(t)
	down.failing(status(500))
	up.SeedSchema("events-value", 2, 8, sr.Schema{Schema: `"long"`})
	synctest.Test(t, func(t *testing.T) {
		c, _ := newTest(t, Config{URLs: []string{"http://nowhere", "http://down", "http://up"}}, network{"down": down, "up": up})
		start := time.Now()
		for _, id := range []int32{7, 8} {
			if _, err := c.Schema(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
		if waited := time.Since(start); waited > 0 { // in virtual time
			t.Errorf("waited %v", waited)
		}
		if down.asked.Load() != 1 || up.asked.Load() != 2 {
			t.Errorf("asked %d and %d times: the URL that answered was not kept", down.asked.Load(), up.asked.Load())
		}
	})
}

func TestLogins(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "secret")
	if err := os.WriteFile(file, []byte("old\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, config := range map[string]Config{
		"":                   {},
		"Basic YW5uOnB3":     {Username: "ann", Password: "pw"},
		"Basic YW5uOm9sZA==": {Username: "ann", PasswordFile: file},
		"Bearer tok":         {BearerToken: "tok"},
		"Bearer old":         {BearerTokenFile: file},
	} {
		f := newFake(t)
		var got string
		f.failing(func(_ http.ResponseWriter, r *http.Request) bool {
			got = r.Header.Get("Authorization")
			return false
		})
		c, _ := newTest(t, config, network{"a": f})
		if _, err := c.Schema(t.Context(), 7); err != nil || got != want {
			t.Errorf("sent %q, %v; want %q", got, err, want)
		}
	}
}
