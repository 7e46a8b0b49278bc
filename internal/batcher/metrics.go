package batcher

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"streamer/internal/record"
)

// Metrics of batches. Delays are in Spark's words: the scheduling delay is how long a closed batch waited for the sink,
// the processing time is how long the sink took, and the total delay runs from the first record's arrival in the batch's
// oldest block to the acknowledgement.
type Metrics struct {
	batches                            *prometheus.CounterVec
	blocks, records                    prometheus.Histogram
	scheduling, processing, totalDelay prometheus.Histogram
}

// NewMetrics registers the batches' metrics.
func NewMetrics(r prometheus.Registerer) *Metrics {
	f := promauto.With(r)
	seconds := func(name, help string) prometheus.Histogram {
		return f.NewHistogram(prometheus.HistogramOpts{
			Name: name, Help: help, Buckets: prometheus.ExponentialBuckets(0.001, 2.5, 13),
		})
	}
	m := &Metrics{
		batches: f.NewCounterVec(prometheus.CounterOpts{
			Name: "streamer_batches_total", Help: "Batches cut, by reason.",
		}, []string{"reason"}),
		blocks: f.NewHistogram(prometheus.HistogramOpts{
			Name: "streamer_batch_blocks", Help: "Blocks per batch: the operations per batch.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 12),
		}),
		records: f.NewHistogram(prometheus.HistogramOpts{
			Name: "streamer_batch_records", Help: "Output records per batch.", Buckets: prometheus.ExponentialBuckets(1, 4, 11),
		}),
		scheduling: seconds("streamer_batch_scheduling_delay_seconds", "Time from a batch's cut until the sink began."),
		processing: seconds("streamer_batch_processing_seconds", "Time from the sink's begin to its acknowledgement."),
		totalDelay: seconds("streamer_batch_total_delay_seconds",
			"Time from the arrival of the batch's oldest record to the acknowledgement."),
	}
	for _, why := range record.Reasons() {
		m.batches.WithLabelValues(why.String())
	}
	return m
}

// Cut counts a closed batch.
func (m *Metrics) Cut(b *record.Batch) {
	m.batches.WithLabelValues(b.Cut.String()).Inc()
	m.blocks.Observe(float64(len(b.Blocks)))
	m.records.Observe(float64(b.Records))
}

// Delivered measures an acknowledged batch.
func (m *Metrics) Delivered(t Delays) {
	m.scheduling.Observe(t.Scheduling.Seconds())
	m.processing.Observe(t.Processing.Seconds())
	m.totalDelay.Observe(t.Total.Seconds())
}
