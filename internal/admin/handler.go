package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// scrapesAtOnce bounds /metrics: each scrape builds all series in memory.
const scrapesAtOnce = 4

// health is the body of /livez and /readyz.
type health struct {
	Status string `json:"status"`
	Reason string `json:"reason,omitempty"`
	Stage  string `json:"stage,omitempty"`
	// StalledSeconds is how long the stage has stood still.
	StalledSeconds float64 `json:"stalled_seconds,omitempty"`
	// NotReadySeconds is how long the service has not been ready for this reason.
	NotReadySeconds float64 `json:"not_ready_seconds,omitempty"`
}

// problem is the body of every other answer that is not 200.
type problem struct {
	Error string `json:"error"`
}

// responder writes JSON.
type responder struct{ logger *slog.Logger }

func handler(deps Deps) http.Handler {
	respond := responder{logger: deps.Logger}
	mux := http.NewServeMux()
	mux.Handle("GET /livez", liveness(deps.Live, respond))
	mux.Handle("GET /readyz", readiness(deps.Ready, respond))
	mux.Handle("GET /api/v1/status", status(deps.Status, respond))
	mux.Handle("GET /metrics", promhttp.HandlerFor(deps.Metrics, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(deps.Logger.Handler(), slog.LevelWarn),
		ErrorHandling:       promhttp.ContinueOnError, // one broken collector must not blind the operator to the others
		MaxRequestsInFlight: scrapesAtOnce,
	}))
	mux.Handle("GET /{$}", index(deps.Status, respond))
	mux.Handle("/", respond.notFound())
	return secured(mux)
}

// secured sets what every answer carries: never cached (a cached "ready" outlives its truth), never sniffed, no scripts.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Cache-Control", "no-store")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
		next.ServeHTTP(w, r)
	})
}

func liveness(live func() error, respond responder) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := live()
		if err == nil {
			respond.json(w, r, http.StatusOK, health{Status: "live"})
			return
		}
		body := health{Status: "stalled", Reason: err.Error()}
		if stall, ok := errors.AsType[*StallError](err); ok {
			body.Stage, body.StalledSeconds = stall.Stage, stall.For.Seconds()
		}
		respond.json(w, r, http.StatusServiceUnavailable, body)
	})
}

func readiness(ready func() error, respond responder) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := ready(); err != nil {
			body := health{Status: "not ready", Reason: err.Error()}
			if red, ok := errors.AsType[*NotReadyError](err); ok {
				body.NotReadySeconds = red.For.Seconds()
			}
			respond.json(w, r, http.StatusServiceUnavailable, body)
			return
		}
		respond.json(w, r, http.StatusOK, health{Status: "ready"})
	})
}

func status(ask func() Status, respond responder) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		respond.json(w, r, http.StatusOK, ask().withLists())
	})
}

func (re responder) notFound() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			re.json(w, r, http.StatusMethodNotAllowed, problem{"method " + r.Method + " is not allowed; use GET"})
			return
		}
		re.json(w, r, http.StatusNotFound, problem{"no page " + r.URL.Path + "; see / for the pages there are"})
	})
}

// json encodes before it writes the header: a value that JSON cannot hold (an infinite lag) becomes a 500 that says so
// rather than a 200 with half a body.
func (re responder) json(w http.ResponseWriter, r *http.Request, code int, body any) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		re.logger.ErrorContext(r.Context(), "admin answer could not be encoded", "path", r.URL.Path, "error", err)
		code = http.StatusInternalServerError
		buffer.Reset()
		buffer.WriteString(`{"error":"the answer could not be encoded; see the log"}` + "\n")
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(code)
	if _, err := w.Write(buffer.Bytes()); err != nil {
		re.logger.DebugContext(r.Context(), "admin reader went away", "path", r.URL.Path, "error", err)
	}
}
