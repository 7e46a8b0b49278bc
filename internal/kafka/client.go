package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/plugin/kprom"
	"github.com/twmb/franz-go/plugin/kslog"
)

// Use says what a client is for.
type Use struct {
	// Role is `source`, `sink` or `admin`: the value of the label `client` in metrics and of the field `client` in logs.
	// Two clients that live at the same time on one registry need different roles.
	Role string
	// Path is where the connection stands in the configuration, `kafka` or `sink.kafka`; errors name it.
	Path string
	// Logger gets the client's messages, with topics, brokers and errors but never payload or secrets. Nil means none.
	Logger *slog.Logger
	// Metrics registers streamer_kafka_*. Nil means none.
	Metrics prometheus.Registerer
}

// Options are the connection's options: brokers, TLS, login, logging, metrics, timeouts. They are for a client that lives
// long and has to outlast brokers: it retries what looks like a wrong configuration too, since a broker that is just
// stopping closes connections in the same way. Use [Check] before, to tell the two apart.
func (c Config) Options(use Use) []kgo.Opt {
	opts := []kgo.Opt{
		kgo.SeedBrokers(c.Brokers...),
		kgo.ClientID(c.ClientID),
		kgo.Dialer(c.TLS.dialer(use.Path + ".tls")),
		kgo.AlwaysRetryEOF(),
		// Prometheus is where our numbers go; without this each client also asks the brokers which of them they want.
		kgo.DisableClientMetrics(),
	}
	if mechanism := c.SASL.mechanism(use.Path + ".sasl"); mechanism != nil {
		opts = append(opts, kgo.SASL(mechanism))
	}
	if use.Logger != nil {
		opts = append(opts, kgo.WithLogger(kslog.New(use.Logger.With("client", use.Role))))
	}
	if use.Metrics != nil {
		opts = append(opts, kgo.WithHooks(newMetrics(use)))
	}
	return opts
}

// newMetrics counts under streamer_kafka_*; the label tells source from sink, whose names would clash otherwise.
func newMetrics(use Use) *kprom.Metrics {
	return kprom.NewMetrics("streamer",
		kprom.Subsystem("kafka"),
		kprom.Registerer(use.Metrics),
		kprom.WithStaticLabel(prometheus.Labels{"client": use.Role}),
		kprom.FetchAndProduceDetail(kprom.ByNode, kprom.ByTopic, kprom.Records, kprom.CompressedBytes,
			kprom.UncompressedBytes, kprom.ConsistentNaming),
	)
}

// NewClient builds a client; it does not connect yet. Later options win over the connection's.
func NewClient(c Config, use Use, opts ...kgo.Opt) (*kgo.Client, error) {
	client, err := kgo.NewClient(append(c.Options(use), opts...)...)
	if err != nil {
		return nil, fmt.Errorf("build %s client: %w", use.Role, err)
	}
	return client, nil
}

// Connect makes a client after a [Check], so that a wrong password is an error of a second and not one of a minute.
func Connect(ctx context.Context, c Config, use Use, opts ...kgo.Opt) (*kgo.Client, error) {
	if err := Check(ctx, c, use); err != nil {
		return nil, err
	}
	return NewClient(c, use, opts...)
}

// UnpackLimit bounds what one batch may unpack to, for a memory budget in bytes. The source's client has it; one whose
// [Admin] looks at records beside it needs it too, or a batch that the source refuses fills the memory there.
func UnpackLimit(budget int64) kgo.Opt { return kgo.MaxDecompressBatchBytes(maxDecompress(budget)) }

// checkTimeout bounds [Check] over all brokers; each dial has dialTimeout.
const checkTimeout = 15 * time.Second

// Check connects once and returns nil if a broker answers, else an error that names the setting at fault.
func Check(ctx context.Context, c Config, use Use) error {
	use.Metrics = nil // a short-lived client would leave series behind, or clash with the living one
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	client, err := NewClient(c, use)
	if err != nil {
		return err
	}
	defer client.Close()
	// Ping asks each broker once, so that a refused login or a TLS mismatch is not retried until time runs out.
	return Explain(client.Ping(ctx), c, use.Path)
}
