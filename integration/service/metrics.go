package service

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// Metrics are samples by series, such as `streamer_lag_records{partition="3",topic="in"}`.
type Metrics map[string]float64

// Metrics asks for the metrics.
func (s *Service) Metrics(ctx context.Context) (Metrics, error) {
	body, err := s.Get(ctx, "/metrics")
	if err != nil {
		return nil, err
	}
	return parseMetrics(string(body))
}

// parseMetrics reads Prometheus' text format without time stamps.
func parseMetrics(text string) (Metrics, error) {
	metrics := make(Metrics)
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		at := strings.LastIndexByte(line, ' ')
		if at < 0 {
			return nil, fmt.Errorf("read metrics: %q has no value", line)
		}
		value, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			return nil, fmt.Errorf("read metrics: %q: %w", line, err)
		}
		metrics[line[:at]] = value
	}
	return metrics, nil
}

// Sum adds up all series of the name whose labels hold every given pair, such as `partition="3"`.
func (m Metrics) Sum(name string, labels ...string) float64 {
	var sum float64
series:
	for series, value := range m {
		if series != name && !strings.HasPrefix(series, name+"{") {
			continue
		}
		for _, label := range labels {
			if !strings.Contains(series, label) {
				continue series
			}
		}
		sum += value
	}
	return sum
}

// Has reports whether there is a series of the name.
func (m Metrics) Has(name string) bool {
	for series := range m {
		if series == name || strings.HasPrefix(series, name+"{") {
			return true
		}
	}
	return false
}
