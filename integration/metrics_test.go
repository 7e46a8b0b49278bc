package integration_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"streamer/integration/ledger"
	"streamer/integration/service"
)

// TestMetrics would catch series that are missing, or that do not agree with what was moved.
func TestMetrics(t *testing.T) {
	t.Parallel()
	f := newFlow(t, 2)
	f.fill(t, 1_000, 500)
	s := binary.Start(t, f.config().With(service.Config{
		"pipeline.decode": "json", "pipeline.steps": []map[string]any{{"filter": `event_type == "view"`}},
	}))
	s.Until(t, "the group to catch up", f.caughtUp)
	var metrics service.Metrics
	s.Until(t, "the metrics to say so", func(ctx context.Context) (err error) {
		if metrics, err = s.Metrics(ctx); err != nil {
			return err
		}
		return errors.Join(
			counts(metrics, 1_000, "streamer_partition_records_total", `partition="0"`),
			counts(metrics, 500, "streamer_partition_records_total", `partition="1"`),
			counts(metrics, 1_000, "streamer_partition_committed_offset", `partition="0"`),
			counts(metrics, 1_000, "streamer_partition_delivered_offset", `partition="0"`),
			counts(metrics, 1_125, "streamer_records_filtered_total"),
			counts(metrics, 375, "streamer_sink_records_total"),
			counts(metrics, 0, "streamer_partition_lag_records"),
			counts(metrics, 0, "streamer_partition_lag_seconds"),
			counts(metrics, 0, "streamer_partition_in_flight_bytes"),
			counts(metrics, 0, "streamer_partition_paused"),
			counts(metrics, 0, "streamer_memory_used_bytes"),
		)
	})
	for _, name := range []string{
		"streamer_partition_bytes_total", "streamer_partition_state", "streamer_blocks_total", "streamer_batches_total",
		"streamer_batch_scheduling_delay_seconds_count", "streamer_batch_processing_seconds_count",
		"streamer_batch_total_delay_seconds_count", "streamer_batch_blocks_count", "streamer_pool_busy_workers",
		"streamer_sink_write_seconds_count", "streamer_sink_retries_total", "streamer_commit_seconds_count",
		"streamer_rebalances_total",
	} {
		if !metrics.Has(name) {
			t.Errorf("there is no %s", name)
		}
	}
	s.Terminate(t)

	l := f.read(t)
	l.Keep(func(id ledger.ID) bool { return id.Kind() == "view" })
	if err := l.Check().ExactlyOnce(); err != nil {
		t.Error(err)
	}
}

// TestMetricsOfRevokedPartitions would catch series that stay behind when the partition has gone, with a lag that looks
// like an incident.
func TestMetricsOfRevokedPartitions(t *testing.T) {
	t.Parallel()
	f := newFlow(t, 2)
	f.fill(t, 100, 100)
	first := binary.Start(t, f.config())
	first.Until(t, "the group to catch up", f.caughtUp)
	second := binary.Start(t, f.config())
	owns(t, first, 1)
	owns(t, second, 1)
	lag := "streamer_partition_lag_records"
	first.Until(t, "one partition's series to go", func(ctx context.Context) error {
		metrics, err := first.Metrics(ctx)
		if err != nil {
			return err
		}
		var series []string
		for name := range metrics {
			if len(name) > len(lag) && name[:len(lag)] == lag {
				series = append(series, name)
			}
		}
		if len(series) != 1 {
			return fmt.Errorf("lag is reported for %v", slices.Sorted(slices.Values(series)))
		}
		return nil
	})
	second.Terminate(t)
	owns(t, first, 2)
	first.Terminate(t)
}

// counts returns nil when the series of the name with the labels are there and add up to want.
func counts(metrics service.Metrics, want float64, name string, labels ...string) error {
	if !metrics.Has(name) {
		return fmt.Errorf("there is no %s", name)
	}
	if got := metrics.Sum(name, labels...); got != want {
		return fmt.Errorf("%s %v is %v, want %v", name, labels, got, want)
	}
	return nil
}
