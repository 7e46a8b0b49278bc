package registry

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

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
