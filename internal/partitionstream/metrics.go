package partitionstream

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"streamer/internal/kafka"
	"streamer/internal/record"
)

// Metrics of the assignment. A partition's series go when the partition goes: a lag that nobody updates any more would
// alarm for ever.
type Metrics struct {
	records, bytes                                *prometheus.CounterVec
	lag, lagSeconds, committed, delivered, inFlow *prometheus.GaugeVec
	paused                                        *prometheus.GaugeVec

	blocks       *prometheus.CounterVec
	blockRecords prometheus.Histogram
	fenced       prometheus.Counter
	rebalances   *prometheus.CounterVec
	resets       prometheus.Counter
	commits      prometheus.Histogram
	commitErrors *prometheus.CounterVec
	used         prometheus.Gauge
}

// NewMetrics registers the assignment's metrics.
func NewMetrics(r prometheus.Registerer) *Metrics {
	f := promauto.With(r)
	perPartition := func(name, help string) *prometheus.GaugeVec {
		return f.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, []string{"topic", "partition"})
	}
	m := &Metrics{
		records: f.NewCounterVec(prometheus.CounterOpts{
			Name: "streamer_partition_records_total", Help: "Records received.",
		}, []string{"topic", "partition"}),
		bytes: f.NewCounterVec(prometheus.CounterOpts{
			Name: "streamer_partition_bytes_total", Help: "Bytes of keys and values received.",
		}, []string{"topic", "partition"}),
		lag: perPartition("streamer_partition_lag_records",
			"Offsets between the group's commit and the log's end at the configured isolation."),
		lagSeconds: perPartition("streamer_partition_lag_seconds",
			"Age of the oldest record that is not delivered; 0 when the lag is 0."),
		committed: perPartition("streamer_partition_committed_offset", "The committed offset."),
		delivered: perPartition("streamer_partition_delivered_offset", "One past the last offset that the sink acknowledged."),
		inFlow:    perPartition("streamer_partition_in_flight_bytes", "Bytes between poll and acknowledgement."),
		paused:    perPartition("streamer_partition_paused", "1 while the partition is paused for memory."),
		blocks: f.NewCounterVec(prometheus.CounterOpts{
			Name: "streamer_blocks_total", Help: "Blocks cut, by reason.",
		}, []string{"reason"}),
		blockRecords: f.NewHistogram(prometheus.HistogramOpts{
			Name: "streamer_block_records", Help: "Records per block.", Buckets: prometheus.ExponentialBuckets(1, 4, 9),
		}),
		fenced: f.NewCounter(prometheus.CounterOpts{
			Name: "streamer_records_fenced_total",
			Help: "Records dropped undelivered and uncommitted because their partition was revoked, lost or stopped.",
		}),
		rebalances: f.NewCounterVec(prometheus.CounterOpts{
			Name: "streamer_rebalances_total", Help: "Changes of the assignment, by event.",
		}, []string{"event"}),
		resets: f.NewCounter(prometheus.CounterOpts{
			Name: "streamer_offset_resets_total", Help: "Positions out of the log's range that on_out_of_range moved.",
		}),
		commits: f.NewHistogram(prometheus.HistogramOpts{
			Name: "streamer_commit_seconds", Help: "Time of an offset commit.",
			Buckets: prometheus.ExponentialBuckets(0.001, 3, 9),
		}),
		commitErrors: f.NewCounterVec(prometheus.CounterOpts{
			Name: "streamer_commit_errors_total", Help: "Failed offset commits, by class.",
		}, []string{"class"}),
		used: f.NewGauge(prometheus.GaugeOpts{
			Name: "streamer_memory_used_bytes", Help: "Accounted bytes between poll and acknowledgement, all partitions.",
		}),
	}
	for _, why := range record.Reasons() {
		m.blocks.WithLabelValues(why.String())
	}
	for _, class := range []kafka.CommitClass{kafka.CommitTransient, kafka.CommitOwnership, kafka.CommitFatal} {
		m.commitErrors.WithLabelValues(class.String())
	}
	for _, event := range []string{"assigned", "revoked", "lost"} {
		m.rebalances.WithLabelValues(event)
	}
	return m
}

// forget removes a partition's series.
func (m *Metrics) forget(o record.Owner) {
	labels := prometheus.Labels{"topic": o.Topic, "partition": strconv.Itoa(int(o.Partition))}
	for _, v := range []interface {
		DeletePartialMatch(labels prometheus.Labels) int
	}{m.records, m.bytes, m.lag, m.lagSeconds, m.committed, m.delivered, m.inFlow, m.paused} {
		v.DeletePartialMatch(labels)
	}
}
