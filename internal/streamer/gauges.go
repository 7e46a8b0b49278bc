package streamer

import (
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"streamer/internal/admin"
)

// newRegistry makes the registry with what is known before any stage exists.
func newRegistry(version string, budget int64) *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		gauge("streamer_memory_budget_bytes", "The budget for memory, memory.budget.", nil,
			func() float64 { return float64(budget) }),
		gauge("streamer_build_info", "1, with the version as a label.",
			prometheus.Labels{"version": version, "go": runtime.Version()},
			func() float64 { return 1 }),
	)
	return registry
}

// states collects the service's state: one look for all of its series.
type states struct {
	service    *Service
	state      *prometheus.Desc
	since      *prometheus.Desc
	live       *prometheus.Desc
	ready      *prometheus.Desc
	partition  *prometheus.Desc
	stateSince *prometheus.Desc
}

func newStates(s *Service) states {
	return states{
		service: s,
		state: prometheus.NewDesc("streamer_state",
			"1 for the state that the service is in, as in /api/v1/status.", []string{"state"}, nil),
		since: prometheus.NewDesc("streamer_state_since_timestamp_seconds",
			"When the service came to be in its state, seconds since 1970.", nil, nil),
		partition: prometheus.NewDesc("streamer_partition_state",
			"1 for the state that the partition is in, as in /api/v1/status.", []string{"topic", "partition", "state"}, nil),
		stateSince: prometheus.NewDesc("streamer_partition_state_since_timestamp_seconds",
			"When the partition came to be in its state, seconds since 1970.", []string{"topic", "partition"}, nil),
		live:  prometheus.NewDesc("streamer_live", "1 while /livez is green.", nil, nil),
		ready: prometheus.NewDesc("streamer_ready", "1 while /readyz is green.", nil, nil),
	}
}

// Describe implements [prometheus.Collector].
func (c states) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{c.state, c.since, c.live, c.ready, c.partition, c.stateSince} {
		to <- desc
	}
}

// Collect implements [prometheus.Collector].
func (c states) Collect(to chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	status := c.service.Status()
	for _, state := range admin.ServiceStates() {
		gauge(c.state, oneIf(state == status.State), state)
	}
	gauge(c.since, seconds(status.StateSince))
	gauge(c.live, oneIf(c.service.live() == nil))
	gauge(c.ready, oneIf(c.service.ready() == nil))
	for i := range status.Partitions {
		p := &status.Partitions[i]
		id := strconv.Itoa(int(p.Partition))
		for _, state := range admin.PartitionStates() {
			gauge(c.partition, oneIf(state == p.State), p.Topic, id, state)
		}
		gauge(c.stateSince, seconds(p.StateSince), p.Topic, id)
	}
}

// seconds is a time as Prometheus has it.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// registerUnion shows what waits between the pool and the sink.
func (s *Service) registerUnion() {
	s.registry.MustRegister(
		gauge("streamer_union_waiting_blocks", "Processed blocks that wait for one before them.", nil,
			func() float64 { return float64(s.sequencer.waiting.Load()) }),
		gauge("streamer_union_ready_batches", "Closed batches that wait for the sink.", nil,
			func() float64 { return float64(s.sequencer.ready.Load()) }),
	)
}

func gauge(name, help string, labels prometheus.Labels, value func() float64) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels}, value)
}
