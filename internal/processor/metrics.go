package processor

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"streamer/internal/record"
)

// Metrics of the pool.
type Metrics struct {
	workers, busy, queued prometheus.Gauge
	wait, process         prometheus.Histogram
	filtered              prometheus.Counter
	failed                *prometheus.CounterVec
}

// NewMetrics registers the pool's metrics.
func NewMetrics(r prometheus.Registerer) *Metrics {
	f := promauto.With(r)
	m := &Metrics{
		workers: f.NewGauge(prometheus.GaugeOpts{
			Name: "streamer_pool_workers", Help: "Workers that process blocks.",
		}),
		busy: f.NewGauge(prometheus.GaugeOpts{
			Name: "streamer_pool_busy_workers", Help: "Workers that have a block at the moment.",
		}),
		queued: f.NewGauge(prometheus.GaugeOpts{
			Name: "streamer_pool_queued_blocks", Help: "Blocks that wait for a worker.",
		}),
		wait: f.NewHistogram(prometheus.HistogramOpts{
			Name: "streamer_block_wait_seconds", Help: "Time from a block's cut until a worker took it.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 4, 9),
		}),
		process: f.NewHistogram(prometheus.HistogramOpts{
			Name: "streamer_block_process_seconds", Help: "Time a worker needed for a block.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 4, 9),
		}),
		filtered: f.NewCounter(prometheus.CounterOpts{
			Name: "streamer_records_filtered_total", Help: "Records that a filter step dropped.",
		}),
		failed: f.NewCounterVec(prometheus.CounterOpts{
			Name: "streamer_records_failed_total",
			Help: "Records that the pipeline could not process, by class of failure and by what pipeline.on_error did.",
		}, []string{"class", "action"}),
	}
	for _, class := range record.Classes() { // a series that begins with its first failure hides it from rate()
		m.failed.WithLabelValues(class, "skip")
		m.failed.WithLabelValues(class, "fail")
	}
	return m
}

func (m *Metrics) observe(b *record.Block) {
	m.wait.Observe(b.Began.Sub(b.Queued).Seconds())
	m.process.Observe(b.Done.Sub(b.Began).Seconds())
	m.filtered.Add(float64(b.Filtered))
	for i := range b.Skipped {
		m.failed.WithLabelValues(b.Skipped[i].Class, "skip").Inc()
	}
	if b.Stopped != nil {
		m.failed.WithLabelValues(b.Stopped.Class, "fail").Inc()
	}
}
