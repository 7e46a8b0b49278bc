package registry

import (
	"errors"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/sr"
)

// The results of a request, by which it is counted.
const (
	resultOK           = "ok"
	resultNotFound     = "not_found"    // for good
	resultRefused      = "refused"      // for good: the schema is invalid, or incompatible with an earlier one
	resultUnauthorized = "unauthorized" // tried again: the login may be about to change
	resultUnavailable  = "unavailable"  // tried again: no answer, or one that says so
)

type metrics struct {
	requests *prometheus.CounterVec
	seconds  prometheus.Histogram
}

// newMetrics registers the client's series; cached counts the schemas at hand.
func newMetrics(registerer prometheus.Registerer, cached func() float64) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "streamer_schema_registry_requests_total", Help: "Requests to the schema registry, by result.",
		}, []string{"result"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "streamer_schema_registry_request_seconds",
			Help: "Time of one request to the schema registry.",
			// 1 ms (a registry nearby) to 8 s (beyond the default timeout), doubling.
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 14),
		}),
	}
	registerer.MustRegister(m.requests, m.seconds, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "streamer_schema_registry_cached_schemas", Help: "Schemas of the registry that are held in memory.",
	}, cached))
	for _, result := range []string{resultOK, resultNotFound, resultRefused, resultUnauthorized, resultUnavailable} {
		m.requests.WithLabelValues(result)
	}
	return m
}

// classify says how a request ended.
func classify(err error) string {
	if err == nil {
		return resultOK
	}
	response, ok := errors.AsType[*sr.ResponseError](err)
	if !ok {
		return resultUnavailable
	}
	switch status := response.StatusCode; {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return resultUnauthorized
	case status == http.StatusRequestTimeout || status == http.StatusTooManyRequests || status >= 500:
		return resultUnavailable
	case status == http.StatusNotFound && !sr.IsNotFoundError(response.ErrorCode):
		return resultUnavailable // somebody else answers at this address: a registry says what it did not find
	case status == http.StatusNotFound:
		return resultNotFound
	case status < 400:
		return resultUnavailable // a redirect that leads nowhere
	default:
		return resultRefused
	}
}
