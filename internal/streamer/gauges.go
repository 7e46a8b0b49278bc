package streamer

import (
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
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
