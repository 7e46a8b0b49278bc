package reference

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// world is a table, its file and what it tells; inside a synctest bubble, where time passes only in wait.
type world struct {
	t        *testing.T
	config   Config
	table    *Table
	log      journal
	registry *prometheus.Registry
	stop     context.CancelFunc
	done     chan error
}

const (
	interval = 10 * time.Second
	header   = "id,name\n"
)

func run(t *testing.T, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, config: DefaultConfig(), registry: prometheus.NewRegistry(), done: make(chan error, 1)}
		w.config.File, w.config.Key = write(t, "ads.csv", header+"1,old\n"), "id"
		deps := Deps{Logger: slog.New(slog.NewTextHandler(&w.log, nil)), Metrics: NewMetrics(w.registry)}
		var err error
		if w.table, err = Open(w.config, deps); err != nil {
			t.Fatal(err)
		}
		var ctx context.Context
		ctx, w.stop = context.WithCancel(t.Context())
		go func() { w.done <- w.table.Run(ctx) }()
		defer func() {
			w.stop()
			if err := <-w.done; err != nil {
				t.Error(err)
			}
		}()
		test(w)
	})
}

// journal is a log that is read while it is written.
type journal struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	return j.text.Write(p)
}

// take empties the journal and returns what was in it.
func (j *journal) take() string {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	defer j.text.Reset()
	return j.text.String()
}

// wait lets time pass, until all looks that are due are over.
func (w *world) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// write changes the file in place.
func (w *world) write(text string) {
	if err := os.WriteFile(w.config.File, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// replace renames a new file over it.
func (w *world) replace(text string) {
	if err := os.Rename(write(w.t, "new", text), w.config.File); err != nil {
		w.t.Fatal(err)
	}
}

// has expects the row of key 1, and the counts of rows and failures.
func (w *world) has(row, metrics string) {
	w.t.Helper()
	if got := found(w.table.Current(), "1"); got != row {
		w.t.Errorf("row is %s, want %s", got, row)
	}
	got := fmt.Sprint(w.metric("streamer_reference_rows"), w.metric("streamer_reference_reload_failures_total"))
	if got != metrics {
		w.t.Errorf("rows and failures are %s, want %s", got, metrics)
	}
}

// metric reads the file's series.
func (w *world) metric(name string) float64 {
	w.t.Helper()
	families, err := w.registry.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		series := family.GetMetric()
		if len(series) != 1 || len(series[0].GetLabel()) != 1 || series[0].GetLabel()[0].GetValue() != w.config.File {
			w.t.Fatalf("series of %s: %v", name, series)
		}
		return series[0].GetGauge().GetValue() + series[0].GetCounter().GetValue()
	}
	w.t.Fatalf("no series %s", name)
	return 0
}

// told expects the log to have these warnings, in order, and no payload; and empties it.
func (w *world) told(parts ...string) {
	w.t.Helper()
	var lines []string
	text := w.log.take()
	if strings.Contains(text, "secret") {
		w.t.Errorf("the log has payload: %s", text)
	}
	for line := range strings.Lines(text) {
		if strings.Contains(line, "level=WARN") {
			lines = append(lines, line)
		}
	}
	if len(lines) != len(parts) {
		w.t.Fatalf("%d warnings, want %d: %s", len(lines), len(parts), lines)
	}
	for i, part := range parts {
		if !strings.Contains(lines[i], part) {
			w.t.Errorf("warning %q has no %q", lines[i], part)
		}
	}
}
