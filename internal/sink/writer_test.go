package sink_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"streamer/internal/record"
	"streamer/internal/sink"
	"streamer/internal/sink/sinktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scripted is a sink whose Write does what the test says.
type scripted struct {
	write   func(ctx context.Context, call int) error
	calls   int
	waiting atomic.Pointer[error]
}

func (s *scripted) Write(ctx context.Context, _ *record.Batch) error {
	s.calls++
	return s.write(ctx, s.calls)
}

func (*scripted) Close() error { return nil }

func (s *scripted) Waiting() error {
	if err := s.waiting.Load(); err != nil {
		return *err
	}
	return nil
}

func (s *scripted) setWaiting(err error) { s.waiting.Store(&err) }

type bench struct {
	*sink.Writer
	registry *prometheus.Registry
	log      *bytes.Buffer
}

func newBench(s sink.Sink) bench {
	b := bench{registry: prometheus.NewRegistry(), log: &bytes.Buffer{}}
	logger := slog.New(slog.NewTextHandler(b.log, nil))
	b.Writer = sink.NewWriter(s, sink.DefaultConfig(), logger, sink.NewMetrics(b.registry, "sink"))
	return b
}

// series reads counters and gauges by name and, if there is one, label value.
func (b bench) series(t *testing.T) map[string]float64 {
	t.Helper()
	families, err := b.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			name := family.GetName()
			for _, label := range metric.GetLabel() {
				name += " " + label.GetValue()
			}
			values[name] = metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
		}
	}
	return values
}

func batch() *record.Batch { return sinktest.Batch(7, sinktest.Numbered(0, 0, 3)) }

func errDown() error { return &sink.RetryableError{Err: errors.New("broker down")} }

func TestWriterRetriesForHoursWithoutDrowningTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		s := &scripted{write: func(context.Context, int) error {
			if time.Since(began) < 8*time.Hour {
				return errDown()
			}
			return nil
		}}
		w := newBench(s)
		b := batch()
		if err := w.Write(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		// Pauses end between 5 and 10 s, so eight hours are 2,880 to 5,760 attempts.
		if s.calls < 2880 || s.calls > 5800 {
			t.Errorf("%d attempts in eight hours, want one every 5 to 10 s", s.calls)
		}
		if lines := strings.Count(w.log.String(), "sink fails"); lines < 100 || lines > 2881 {
			t.Errorf("%d log lines in eight hours, want at most one every 10 s", lines)
		}
		if !strings.Contains(w.log.String(), "sink works again") {
			t.Error("the log does not say that the sink works again")
		}
		if b.Wrote.IsZero() {
			t.Error("Wrote is not set on an acknowledged batch")
		}
	})
}

func TestWriterStateTellsWhyItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan error)
		s := &scripted{write: func(context.Context, int) error { return <-release }}
		w := newBench(s)
		want := func(activity sink.Activity, attempt int, reason string) {
			t.Helper()
			synctest.Wait()
			got := w.State()
			var text string
			if got.Err != nil {
				text = got.Err.Error()
			}
			if got.Activity != activity || got.Attempt != attempt || text != reason {
				t.Errorf("State() = %s, attempt %d, %q; want %s, %d, %q", got.Activity, got.Attempt, text, activity, attempt, reason)
			}
		}
		want(sink.Idle, 0, "")
		done := make(chan error)
		go func() { done <- w.Write(t.Context(), batch()) }()
		want(sink.Writing, 1, "")
		s.setWaiting(errors.New("dial tcp: refused"))
		want(sink.Retrying, 1, "dial tcp: refused")
		s.setWaiting(nil)
		want(sink.Writing, 1, "")
		release <- errDown()
		want(sink.Retrying, 1, "broker down")
		failed := w.State().Since
		time.Sleep(time.Minute) // synthetic: the pause passes, the second attempt hangs
		want(sink.Retrying, 2, "broker down")
		if since := w.State().Since; !since.Equal(failed) {
			t.Errorf("Since moved from %v to %v while the sink kept failing", failed, since)
		}
		release <- nil
		if err := <-done; err != nil {
			t.Error(err)
		}
		want(sink.Idle, 0, "")
	})
}

func TestWriterLogsASinkThatWaitsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{}
		s.write = func(context.Context, int) error {
			s.setWaiting(errors.New("authentication failed"))
			time.Sleep(time.Hour)
			s.setWaiting(nil)
			return nil
		}
		w := newBench(s)
		if err := w.Write(t.Context(), batch()); err != nil {
			t.Fatal(err)
		}
		lines := strings.Count(w.log.String(), "authentication failed")
		if lines < 300 || lines > 361 {
			t.Errorf("%d log lines in an hour of waiting, want one every 10 s", lines)
		}
	})
}

func TestWriterStopsAtWhatWillNotPass(t *testing.T) {
	cause := errors.New("too large")
	refused := sinktest.Numbered(3, 40, 3)
	for _, test := range []struct {
		name  string
		err   error
		class string
		text  string
	}{
		{"permanent", &sink.PermanentError{Err: cause}, "permanent", "write batch 7: too large"},
		{
			"one refused record", sink.RejectAll([]sink.Rejection{sink.Reject(refused, 2, cause)}),
			"rejected", "write batch 7: record in/3@42: too large",
		},
		{
			"refused records", sink.RejectAll([]sink.Rejection{sink.Reject(refused, 0, cause), sink.Reject(refused, 2, cause)}),
			"rejected", "write batch 7: 2 records are refused, the first: record in/3@40: too large",
		},
		{
			"a refused record without an origin",
			sink.RejectAll([]sink.Rejection{sink.Reject(sinktest.Merged(record.Output{}), 0, cause)}),
			"permanent", "write batch 7: record merged from several: too large",
		},
		{"unclassified", cause, "unclassified", "write batch 7: too large"},
		{
			"a permanent failure in a retryable one",
			&sink.RetryableError{Err: &sink.PermanentError{Err: cause}},
			"permanent", "write batch 7: too large",
		},
		// The sink's own deadline, not classified: stopping is right, and it must not pass for the caller's context.
		{"a deadline of its own", context.DeadlineExceeded, "unclassified", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &scripted{write: func(context.Context, int) error { return test.err }}
			w := newBench(s)
			err := w.Write(t.Context(), batch())
			if s.calls != 1 || err == nil {
				t.Fatalf("%d attempts, error %v; want one and an error", s.calls, err)
			}
			if test.text != "" && (err.Error() != test.text || !errors.Is(err, cause)) {
				t.Errorf("error %q, want %q", err, test.text)
			}
			for _, class := range []string{"ended", "permanent", "rejected", "retryable", "unclassified"} {
				var want float64
				if class == test.class {
					want = 1
				}
				if got, ok := w.series(t)["streamer_sink_errors_total "+class]; !ok || got != want {
					t.Errorf("streamer_sink_errors_total{class=%q} = %v (exists: %t), want %v", class, got, ok, want)
				}
			}
		})
	}
}

func TestWriterReturnsWhenTheContextEnds(t *testing.T) {
	stop := errors.New("deadline passed")
	for _, test := range []struct {
		name  string
		write func(ctx context.Context, call int) error
	}{
		{"in an attempt", func(ctx context.Context, _ int) error { <-ctx.Done(); return ctx.Err() }},
		{"in a pause", func(context.Context, int) error { return errDown() }},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				w := newBench(&scripted{write: test.write})
				done := make(chan error, 1)
				go func() { done <- w.Write(ctx, batch()) }()
				time.Sleep(time.Minute)
				ended := time.Now()
				cancel(stop)
				if err := <-done; !errors.Is(err, stop) {
					t.Errorf("Write = %v, want it to wrap %v", err, stop)
				}
				if late := time.Since(ended); late != 0 { // synthetic time: nothing was waited for
					t.Errorf("Write returned %v after the context ended", late)
				}
				if state := w.State(); state.Activity != sink.Idle {
					t.Errorf("State() = %s after Write, want idle", state.Activity)
				}
			})
		})
	}
}

func TestWriterCountsWhatIsAcknowledged(t *testing.T) {
	s := &scripted{write: func(_ context.Context, call int) error {
		if call == 1 {
			return errDown()
		}
		return nil
	}}
	synctest.Test(t, func(t *testing.T) {
		w := newBench(s)
		refused := sinktest.Numbered(1, 0, 1)
		refused.Refuse(0)
		if err := w.Write(t.Context(), sinktest.Batch(7, sinktest.Numbered(0, 0, 3), refused)); err != nil {
			t.Fatal(err)
		}
		got := w.series(t)
		for name, want := range map[string]float64{
			"streamer_sink_bytes_total": 99, "streamer_sink_records_total": 3, "streamer_sink_retries_total": 1,
			"streamer_sink_retrying": 0, "streamer_sink_errors_total retryable": 1,
		} {
			if got[name] != want {
				t.Errorf("%s = %v, want %v", name, got[name], want)
			}
		}
	})
}

// The writer of dead letters has series of its own beside the sink's.
func TestTwoWritersHaveTheirOwnSeries(t *testing.T) {
	registry := prometheus.NewRegistry()
	sink.NewMetrics(registry, "sink")
	other := bench{registry: registry, log: &bytes.Buffer{}}
	s := &scripted{write: func(context.Context, int) error { return nil }}
	logger := slog.New(slog.NewTextHandler(other.log, nil))
	other.Writer = sink.NewWriter(s, sink.DefaultConfig(), logger, sink.NewMetrics(registry, "dead_letter"))
	if err := other.Write(t.Context(), batch()); err != nil {
		t.Fatal(err)
	}
	series := other.series(t)
	if series["streamer_dead_letter_records_total"] != 3 || series["streamer_sink_records_total"] != 0 {
		t.Errorf("series: %v, want three records of dead letters and none of the sink", series)
	}
}

// What is refused may be many, and the error is read when the records are gone.
func TestARejectionOutlivesItsBlock(t *testing.T) {
	block := sinktest.Numbered(3, 40, 3)
	err := sink.RejectAll([]sink.Rejection{sink.Reject(block, 2, errors.New("too large"))})
	block.Release()
	if want := "record in/3@42: too large"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %q", err, want)
	}
}
