package admin

import (
	"bufio"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// FuzzRequest holds that no request makes the handler panic, that each is answered by one of the codes that the page of
// observability names, never cached or sniffed, and that JSON is JSON.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{
		"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n", "POST /api/v1/status HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
		"GET /metrics HTTP/1.1\r\nHost: a\r\nAccept: application/openmetrics-text; q=2\r\nAccept-Encoding: gzip;q=x\r\n\r\n",
		"HEAD //livez/../ HTTP/1.0\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "GET /%00%ff<script> HTTP/1.1\r\nHost: a\r\n\r\n",
		"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", "\x16\x03\x01 /a HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
	} {
		f.Add(seed)
	}
	h := handler(Deps{
		Status:  func() Status { return Status{Version: "v1", State: StateIdle} },
		Live:    func() error { return nil },
		Ready:   func() error { return errors.New("joining") },
		Metrics: prometheus.NewRegistry(), Logger: slog.New(slog.DiscardHandler),
	})
	f.Fuzz(func(t *testing.T, text string) {
		request, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
		if err != nil {
			return
		}
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, request)
		switch answer.Code {
		case http.StatusOK, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusServiceUnavailable,
			http.StatusMovedPermanently, http.StatusTemporaryRedirect, http.StatusBadRequest:
		default:
			t.Fatalf("%q is answered %d", text, answer.Code)
		}
		header := answer.Header()
		if answer.Code != http.StatusBadRequest && // the mux's own answer to OPTIONS *
			(header.Get("Cache-Control") != "no-store" || header.Get("X-Content-Type-Options") != "nosniff") {
			t.Fatalf("%q: %v", text, header)
		}
		if strings.HasPrefix(header.Get("Content-Type"), "application/json") && !json.Valid(answer.Body.Bytes()) {
			t.Fatalf("%q: %s", text, answer.Body)
		}
		if request.Method != http.MethodGet && request.Method != http.MethodHead && answer.Code == http.StatusOK {
			t.Fatalf("%q is allowed", text)
		}
	})
}
