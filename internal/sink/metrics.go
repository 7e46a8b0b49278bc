package sink

import "github.com/prometheus/client_golang/prometheus"

// Metrics are the writer's series.
type Metrics struct {
	seconds  prometheus.Histogram
	retries  prometheus.Counter
	errors   *prometheus.CounterVec
	records  prometheus.Counter
	bytes    prometheus.Counter
	retrying prometheus.Gauge
}

// NewMetrics registers the writer's series. It panics if they are registered already, as MustRegister does.
func NewMetrics(registerer prometheus.Registerer) *Metrics {
	m := &Metrics{
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "streamer_sink_write_seconds",
			Help: "Time of one attempt to write a batch to the sink.",
			// 1 ms (a small batch to a near broker) to 33 s (a sink in trouble), doubling.
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 16),
		}),
		retries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "streamer_sink_retries_total", Help: "Attempts after the first to write a batch.",
		}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "streamer_sink_errors_total", Help: "Failed attempts to write a batch, by class of the failure.",
		}, []string{"class"}),
		records: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "streamer_sink_records_total", Help: "Records that the sink acknowledged.",
		}),
		bytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "streamer_sink_bytes_total", Help: "Keys, values and headers that the sink acknowledged.",
		}),
		retrying: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "streamer_sink_retrying", Help: "1 while the sink fails and the writer tries again, else 0.",
		}),
	}
	registerer.MustRegister(m.seconds, m.retries, m.errors, m.records, m.bytes, m.retrying)
	for class := Unclassified; class <= Ended; class++ {
		m.errors.WithLabelValues(class.String())
	}
	return m
}
