package kafkatest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

func TestWanted(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, brokers, kind, require string
		want                         []Kind
		fails                        bool
	}{
		{name: "nothing said", want: []Kind{Docker, Process, Embedded}},
		{name: "addresses", brokers: "a:1", want: []Kind{External}},
		{name: "addresses and a kind", brokers: "a:1", kind: "process", want: []Kind{Process}},
		{name: "docker required", require: "docker", want: []Kind{Docker}},
		{name: "kafka required", require: "kafka", want: []Kind{Docker, Process}},
		{name: "addresses are kafka", brokers: "a:1", require: "kafka", want: []Kind{External}},
		{name: "contradiction", kind: "kfake", require: "kafka", fails: true},
		{name: "another contradiction", kind: "process", require: "docker", fails: true},
		{name: "unknown kind", kind: "podman", fails: true},
		{name: "unknown requirement", require: "yes", fails: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := wanted(test.brokers, test.kind, test.require)
			if (err != nil) != test.fails || !slices.Equal(got, test.want) {
				t.Errorf("got %v, %v; want %v", got, err, test.want)
			}
		})
	}
}

// TestKinds starts each kind that this machine has: what was written survives a kill, and every listener answers before
// and after it.
func TestKinds(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts brokers")
	}
	kinds, err := wanted("", os.Getenv(envKind), os.Getenv(envRequire))
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			if err := available(t.Context(), kind); err != nil {
				t.Skipf("NOTICE: %v", err)
			}
			broker, err := start(t.Context(), kind, options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := broker.Close(); err != nil {
					t.Error(err)
				}
			})
			try(t, broker)
		})
	}
}

func try(t *testing.T, broker *Broker) {
	t.Helper()
	topic := broker.Topic(t, "kinds", 1, nil)
	produceOne(t, broker, topic)
	checkEnd(t, topic, 1, broker.Client(t))
	if !broker.Ours() {
		return
	}
	way := broker.Proxied(t)
	for range 2 {
		checkEnd(t, topic, 1, broker.Client(t, kgo.SeedBrokers(way.Addr())))
		checkEnd(t, topic, 1, broker.Client(t, kgo.SeedBrokers(broker.Secure.Addr), kgo.DialTLSConfig(trust(t, broker.Secure)),
			kgo.SASL(scram.Auth{User: broker.Secure.Username, Pass: broker.Secure.Password}.AsSha512Mechanism())))
		if err := broker.Kill(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := broker.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := broker.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func produceOne(t *testing.T, broker *Broker, topic string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	record := &kgo.Record{Topic: topic, Value: []byte("x")}
	if err := broker.Client(t).ProduceSync(ctx, record).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

func checkEnd(t *testing.T, topic string, want int64, client *kgo.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, topic)
	if err != nil {
		t.Fatal(err)
	}
	end, ok := ends.Lookup(topic, 0)
	if !ok || end.Err != nil || end.Offset != want {
		t.Fatalf("end %+v, want offset %d", end, want)
	}
}

func trust(t *testing.T, secure *Secure) *tls.Config {
	t.Helper()
	pem, err := os.ReadFile(secure.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		t.Fatal("no certificate in the authority's file")
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}
