package sink

import "github.com/prometheus/client_golang/prometheus"

const namespace = "streamer"

// Metrics are the writer's series.
type Metrics struct {
	seconds  prometheus.Histogram
	retries  prometheus.Counter
	errors   *prometheus.CounterVec
	records  prometheus.Counter
	bytes    prometheus.Counter
	retrying prometheus.Gauge
}

// NewMetrics registers the writer's series below streamer_<subsystem>_: "sink" for the sink, something else for a further
// writer. It panics if they are registered already, as MustRegister does.
func NewMetrics(registerer prometheus.Registerer, subsystem string) *Metrics {
	counter := func(name, help string) prometheus.CounterOpts {
		return prometheus.CounterOpts{Namespace: namespace, Subsystem: subsystem, Name: name, Help: help}
	}
	m := &Metrics{
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "write_seconds",
			Help: "Time of one attempt to write a batch to the sink.",
			// 1 ms (a small batch to a near broker) to 33 s (a sink in trouble), doubling.
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 16),
		}),
		retries: prometheus.NewCounter(counter("retries_total", "Attempts after the first to write a batch.")),
		errors: prometheus.NewCounterVec(
			counter("errors_total", "Failed attempts to write a batch, by class of the failure."), []string{"class"}),
		records: prometheus.NewCounter(counter("records_total", "Records that the sink acknowledged.")),
		bytes:   prometheus.NewCounter(counter("bytes_total", "Keys, values and headers that the sink acknowledged.")),
		retrying: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "retrying",
			Help: "1 while the sink fails and the writer tries again, else 0.",
		}),
	}
	registerer.MustRegister(m.seconds, m.retries, m.errors, m.records, m.bytes, m.retrying)
	for class := Unclassified; class <= Ended; class++ {
		m.errors.WithLabelValues(class.String())
	}
	return m
}
