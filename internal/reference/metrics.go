package reference

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Metrics are the series of all tables, by their file as it is configured.
type Metrics struct {
	rows, loaded *prometheus.GaugeVec
	failures     *prometheus.CounterVec
}

// NewMetrics registers the series. It panics if they are registered already, so there is one for all tables.
func NewMetrics(r prometheus.Registerer) *Metrics {
	f, labels := promauto.With(r), []string{"file"}
	return &Metrics{
		rows: f.NewGaugeVec(prometheus.GaugeOpts{
			Name: "streamer_reference_rows", Help: "Rows of the reference table.",
		}, labels),
		loaded: f.NewGaugeVec(prometheus.GaugeOpts{
			Name: "streamer_reference_loaded_timestamp_seconds",
			Help: "When the rows of the reference table were read, in seconds since 1970.",
		}, labels),
		failures: f.NewCounterVec(prometheus.CounterOpts{
			Name: "streamer_reference_reload_failures_total",
			Help: "Looks at the file of a reference table that found no rows to load; the old ones stay.",
		}, labels),
	}
}

// load notes new rows. It makes the counter appear with them: one that begins with its first failure hides it from rate().
func (m *Metrics) load(file string, rows *Rows) {
	m.rows.WithLabelValues(file).Set(float64(rows.Len()))
	m.loaded.WithLabelValues(file).Set(float64(time.Now().UnixMilli()) / 1000)
	m.failures.WithLabelValues(file)
}

func (m *Metrics) fail(file string) { m.failures.WithLabelValues(file).Inc() }
