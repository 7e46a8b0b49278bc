package kafkasink_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"streamer/internal/sink"
	"streamer/internal/sink/kafkasink"
	"streamer/internal/sink/sinktest"
)

func TestWaitingTellsThatNoBrokerIsThere(t *testing.T) {
	b := newBroker(t, 1)
	s := b.sink(t, config())
	write(t, s, sinktest.Batch(1, sinktest.Numbered(0, 0, 1)))
	b.Close()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Write(ctx, sinktest.Batch(2, sinktest.Numbered(0, 1, 1))) }()
	var err error
	for err == nil && ctx.Err() == nil {
		err = s.Waiting()
	}
	if !strings.Contains(err.Error(), "connect to broker 127.0.0.1") && !strings.Contains(err.Error(), "request to broker") {
		t.Errorf("Waiting() = %v, want the broker and the reason", err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Write = %v, want context.Canceled", err)
	}
	if err := s.Waiting(); err != nil {
		t.Errorf("Waiting() with no Write under way = %v", err)
	}
}

// Bad credentials fail the start; in the middle of a run they are waited for, loudly.
func TestRegression09RefusedLogin(t *testing.T) {
	b := newBroker(t, 1, kfake.EnableSASL(), kfake.Superuser("PLAIN", "right", "secret"))
	login := func(user string) kgo.Opt { return kgo.SASL(plain.Auth{User: user, Pass: "secret"}.AsMechanism()) }
	if _, err := kafkasink.New(t.Context(), config(), b.cluster(login("wrong")), slog.New(slog.DiscardHandler)); err == nil {
		t.Error("New with a wrong user succeeded")
	}
	s, err := kafkasink.New(t.Context(), config(), b.cluster(login("right")), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	refused := b.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.SASLAuthenticate}, Err: kerr.SaslAuthenticationFailed, Count: -1, TopLevel: true,
	})
	w := sink.NewWriter(s, sink.DefaultConfig(), slog.New(slog.DiscardHandler), sink.NewMetrics(prometheus.NewRegistry(), "sink"))
	batch := sinktest.Batch(1, sinktest.Numbered(0, 0, 10)) // needs a new connection, for producing
	done := make(chan error, 1)
	go func() { done <- w.Write(t.Context(), batch) }()
	if err := refused.Wait(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	for w.State().Activity != sink.Retrying && t.Context().Err() == nil {
		runtime.Gosched()
	}
	if err := w.State().Err; !errors.Is(err, kerr.SaslAuthenticationFailed) {
		t.Errorf("State() = %v, want SASL_AUTHENTICATION_FAILED", err)
	}
	refused.Remove()
	if err := <-done; err != nil {
		t.Errorf("Write after the login works again: %v", err)
	}
}
