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

// Whatever says that the registry cannot answer now is tried again, and shows.
func TestRetries(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fail   func(http.ResponseWriter, *http.Request) bool
		want   string
		result string
	}{
		"down":      {status(503), "schema registry: GET http://a/schemas/ids/7 answered 503: no response", resultUnavailable},
		"busy":      {status(429), "schema registry: GET http://a/schemas/ids/7 answered 429: no response", resultUnavailable},
		"login":     {status(401), "schema registry: GET http://a/schemas/ids/7 answered 401: no response", resultUnauthorized},
		"forbidden": {status(403), "schema registry: GET http://a/schemas/ids/7 answered 403: no response", resultUnauthorized},
		"elsewhere": {status(404), "schema registry: GET http://a/schemas/ids/7 answered 404: no response", resultUnavailable},
		"nonsense": {func(w http.ResponseWriter, _ *http.Request) bool {
			_, _ = w.Write([]byte("<html>"))
			return true
		}, `schema registry: unable to decode ok response body from GET "http://a/schemas/ids/7": invalid character '<' looking for beginning of value`, resultUnavailable},
		"page": {func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(http.StatusBadGateway)
			_, _ = w.Write([]byte("<p>" + strings.Repeat("long\n", 1000)))
			return true
		}, "schema registry: GET http://a/schemas/ids/7 answered 502: <p>" + strings.Repeat("long ", 39) + "lo…", resultUnavailable},
		"endless": {func(w http.ResponseWriter, _ *http.Request) bool {
			_, _ = w.Write(make([]byte, maxAnswer+1))
			return true
		}, `schema registry: unable to read response body from GET "http://a/schemas/ids/7": answer is larger than 8 MiB`, resultUnavailable},
		"silent": {func(_ http.ResponseWriter, r *http.Request) bool {
			<-r.Context().Done()
			return true
		}, `schema registry: unable to GET "http://a/schemas/ids/7": Get "http://a/schemas/ids/7": context deadline exceeded`, resultUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.failing(test.fail)
			synctest.Test(t, func(t *testing.T) {
				c, _ := newTest(t, Config{}, network{"a": f})
				done := make(chan error)
				go func() {
					_, err := c.Schema(t.Context(), 7)
					done <- err
				}()
				<-time.After(time.Minute)
				if err := c.Waiting(); err == nil || err.Error() != test.want {
					t.Errorf("waits for %v\nwant %s", err, test.want)
				}
				if asked := f.asked.Load(); asked < 4 || asked > 25 {
					t.Errorf("asked %d times in a minute", asked)
				}
				if n := testutil.ToFloat64(c.metrics.requests.WithLabelValues(test.result)); n < 4 {
					t.Errorf("%v requests are counted as %s", n, test.result)
				}
				f.failing(func(http.ResponseWriter, *http.Request) bool { return false })
				if err := <-done; err != nil || c.Waiting() != nil {
					t.Errorf("got %v in the end, waiting for %v", err, c.Waiting())
				}
			})
		})
	}
}

func TestEndOfContextEndsTheWait(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.failing(status(503))
	synctest.Test(t, func(t *testing.T) {
		c, _ := newTest(t, Config{}, network{"a": f})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := c.Schema(ctx, 7); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		synctest.Wait()
		if c.Waiting() != nil {
			t.Errorf("still waits for %v", c.Waiting())
		}
		f.failing(func(http.ResponseWriter, *http.Request) bool { return false })
		if _, err := c.Schema(t.Context(), 7); err != nil {
			t.Errorf("the end of one request is remembered: %v", err)
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

func TestReferencesComeInOrder(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	reference := func(name string) sr.SchemaReference {
		return sr.SchemaReference{Name: name, Subject: name, Version: 1}
	}
	f.SeedSchema("zip", 1, 11, sr.Schema{Schema: "zip", Type: Protobuf})
	f.SeedSchema("home", 1, 12, sr.Schema{Schema: "home", Type: Protobuf, References: []sr.SchemaReference{reference("zip")}})
	f.SeedSchema("user", 1, 13, sr.Schema{Schema: "user", Type: Protobuf, References: []sr.SchemaReference{reference("home"), reference("zip")}})
	c, _ := newTest(t, Config{}, network{"a": f})
	schema, err := c.Schema(t.Context(), 13)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range schema.References {
		names = append(names, r.Name+"="+r.Text)
	}
	if got := strings.Join(names, " "); got != "zip=zip home=home" || schema.Type != Protobuf {
		t.Errorf("got %s of type %s", got, schema.Type)
	}
	f.failing(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/schemas/ids/14" {
			return false
		}
		_, _ = w.Write([]byte(`{"schema":"x","references":[{"name":"n","subject":"nothing","version":1}]}`))
		return true
	})
	if _, err := c.Schema(t.Context(), 14); err == nil || !strings.HasPrefix(err.Error(), "get schema 14: get reference nothing, version 1: GET http://a/") {
		t.Errorf("got %v", err)
	}
}

func TestID(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	c, _ := newTest(t, Config{}, network{"a": f})
	source := &Source{Text: `"string"`}
	for range 2 {
		if id, err := c.ID(t.Context(), "events-value", source, false); err != nil || id != 7 {
			t.Fatalf("got %d, %v", id, err)
		}
	}
	if f.asked.Load() != 1 {
		t.Errorf("asked %d times", f.asked.Load())
	}
	_, err := c.ID(t.Context(), "new-value", source, false)
	if want := "subject new-value does not have the schema; register it, or set register: true"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	id, err := c.ID(t.Context(), "new-value", source, true)
	if _, there := f.GetSchema("new-value", 1); err != nil || !there {
		t.Errorf("got %d, %v", id, err)
	}
}

func TestImportsAreRegistered(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	c, _ := newTest(t, Config{}, network{"a": f})
	base := Source{Type: Protobuf, Text: `syntax = "proto3"; message A {}`}
	source := &Source{Type: Protobuf, Text: `syntax = "proto3"; import "a.proto"; message B { A a = 1; }`, Imports: []Import{{"a.proto", base}}}
	id, err := c.ID(t.Context(), "b-value", source, true)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := c.Schema(t.Context(), id)
	if err != nil || len(schema.References) != 1 || schema.References[0] != (Reference{"a.proto", base.Text}) {
		t.Errorf("got %+v, %v", schema, err)
	}
}

func TestRefusalIsForGood(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.failing(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/versions") {
			return false
		}
		w.WriteHeader(http.StatusConflict)
		_, _ = w.Write([]byte(`{"error_code":409,"message":"Schema is incompatible"}`))
		return true
	})
	c, _ := newTest(t, Config{}, network{"a": f})
	_, err := c.ID(t.Context(), "events-value", &Source{Text: `"long"`}, true)
	const want = "register schema in subject events-value: POST http://a/subjects/events-value/versions answered 409: Schema is incompatible"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestFullCacheIsEmptied(t *testing.T) {
	t.Parallel()
	c := newCache[int, int]()
	for i := range 2*maxCached + 1 {
		value, err := c.get(t.Context(), i, func(context.Context) (int, error) { return i, nil })
		if err != nil || value != i || c.size() > maxCached {
			t.Fatalf("got %d, %v; %d are kept", value, err, c.size())
		}
	}
	for i := range 2*maxCached + 1 {
		_, _ = c.get(t.Context(), -1-i, func(context.Context) (int, error) { return 0, ErrUnknown })
	}
	if len(c.failed) > maxCached {
		t.Errorf("%d failures are kept", len(c.failed))
	}
}
