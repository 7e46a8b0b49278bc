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
			Name: "streamer_records_filtered_total",
			Help: "Records that ended without an output: a filter dropped them, or a flat_map gave nothing.",
		}),
		failed: f.NewCounterVec(prometheus.CounterOpts{
			Name: "streamer_records_failed_total",
			Help: "Records that could not be processed or delivered, by class of failure and by what pipeline.on_error did.",
		}, []string{"class", "action"}),
	}
	for _, class := range record.Classes() { // a series that begins with its first failure hides it from rate()
		for _, action := range []string{actionFail, actionSkip, actionDeadLetter} {
			m.failed.WithLabelValues(class, action)
		}
	}
	return m
}

// What pipeline.on_error can do, as the metric names it.
const (
	actionFail       = "fail"
	actionSkip       = "skip"
	actionDeadLetter = "dead_letter"
)

// Failed counts a record that failed behind the pool, in the sink.
func (m *Metrics) Failed(class, action string) { m.failed.WithLabelValues(class, action).Inc() }

func (m *Metrics) observe(b *record.Block) {
	m.wait.Observe(b.Began.Sub(b.Queued).Seconds())
	m.process.Observe(b.Done.Sub(b.Began).Seconds())
	m.filtered.Add(float64(b.Filtered))
	for i := range b.Skipped {
		m.Failed(b.Skipped[i].Class, actionSkip)
	}
	for i := range b.Dead {
		m.Failed(b.Dead[i].Class, actionDeadLetter)
	}
	if b.Stopped != nil {
		m.Failed(b.Stopped.Class, actionFail)
	}
}
