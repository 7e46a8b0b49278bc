package streamer

import (
	"runtime"

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
	service *Service
	state   *prometheus.Desc
	ready   *prometheus.Desc
}

func newStates(s *Service) states {
	return states{
		service: s,
		state: prometheus.NewDesc("streamer_state",
			"1 for the state that the service is in, as in /api/v1/status.", []string{"state"}, nil),
		ready: prometheus.NewDesc("streamer_ready", "1 while /readyz is green.", nil, nil),
	}
}

// Describe implements [prometheus.Collector].
func (c states) Describe(to chan<- *prometheus.Desc) {
	to <- c.state
	to <- c.ready
}

// Collect implements [prometheus.Collector].
func (c states) Collect(to chan<- prometheus.Metric) {
	now := c.service.Status().State
	for _, state := range admin.ServiceStates() {
		to <- prometheus.MustNewConstMetric(c.state, prometheus.GaugeValue, oneIf(state == now), state)
	}
	to <- prometheus.MustNewConstMetric(c.ready, prometheus.GaugeValue, oneIf(c.service.ready() == nil))
}

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
