package kafka_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kfake"

	"streamer/internal/kafka"
)

// secured is a cluster with TLS and a SCRAM user, and the configuration that fits it.
func secured(t *testing.T, a *authority, server *tls.Config) kafka.Config {
	t.Helper()
	_, config := newCluster(t, kfake.TLS(server), kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-512", "ada", "canary-secret"))
	config.TLS = kafka.TLSConfig{Enabled: true, CAFile: a.file, ServerName: "localhost"}
	config.SASL = kafka.SASL{Mechanism: "SCRAM-SHA-512", Username: "ada", Password: "canary-secret"}
	return config
}

func TestCheckNamesTheSettingAtFault(t *testing.T) {
	t.Parallel()
	inAnHour := time.Now().Add(time.Hour)
	a := newAuthority(t)
	good := secured(t, a, a.server(t, inAnHour))
	_, plain := newCluster(t)

	for name, test := range map[string]struct {
		change func(t *testing.T, c *kafka.Config)
		want   string // empty: connects
	}{
		"good":     {func(*testing.T, *kafka.Config) {}, ""},
		"plain":    {func(_ *testing.T, c *kafka.Config) { *c = plain }, ""},
		"password": {func(_ *testing.T, c *kafka.Config) { c.SASL.Password = "canary-wrong" }, `kafka.sasl.username: "ada" is refused`},
		"mechanism": {
			func(_ *testing.T, c *kafka.Config) { c.SASL.Mechanism = "PLAIN" }, `kafka.sasl.`,
		},
		"authority": {
			func(t *testing.T, c *kafka.Config) { c.TLS.CAFile = newAuthority(t).file }, `kafka.tls.ca_file: "`,
		},
		"host":             {func(_ *testing.T, c *kafka.Config) { c.TLS.ServerName = "" }, `kafka.tls.server_name: does not match`},
		"skip verify":      {func(_ *testing.T, c *kafka.Config) { c.TLS.ServerName, c.TLS.InsecureSkipVerify = "", true }, ""},
		"TLS to plaintext": {func(_ *testing.T, c *kafka.Config) { c.Brokers = plain.Brokers }, `kafka.tls.enabled: "true" does not fit this port`},
		"plaintext to TLS": {func(_ *testing.T, c *kafka.Config) { c.TLS = kafka.TLSConfig{} }, `kafka.tls.enabled: "false" does not fit this port`},
		"missing file":     {func(_ *testing.T, c *kafka.Config) { c.TLS.CAFile = "/nowhere" }, `kafka.tls.ca_file: "/nowhere" cannot be read`},
		"nobody listens":   {func(t *testing.T, c *kafka.Config) { c.Brokers = []string{closedPort(t)} }, `kafka.brokers: "127.0.0.1:`},
		"unknown host":     {func(_ *testing.T, c *kafka.Config) { c.Brokers = []string{"no.such.host.invalid:9092"} }, `has the host "no.such.host.invalid"`},
		"expired certificate": {func(t *testing.T, c *kafka.Config) {
			c.Brokers = secured(t, a, a.server(t, time.Now().Add(-time.Hour))).Brokers
		}, `a broker certificate that has expired`},
		"client certificate": {
			func(t *testing.T, c *kafka.Config) { c.Brokers = secured(t, a, demanding(t, a)).Brokers }, `kafka.tls.cert_file: is refused or missed`,
		},
		"certificate of tomorrow": {func(t *testing.T, c *kafka.Config) {
			server := a.server(t, inAnHour)
			server.Certificates = []tls.Certificate{a.pair(t, time.Now().Add(time.Hour), time.Now().Add(2*time.Hour))}
			c.Brokers = secured(t, a, server).Brokers
		}, `or is not valid yet; renew it on the broker, or set this clock`},
		"client certificate of another authority": {
			func(t *testing.T, c *kafka.Config) {
				c.Brokers = secured(t, a, demanding(t, a)).Brokers
				c.TLS.CertFile, c.TLS.KeyFile = newAuthority(t).issue(t, t.TempDir(), inAnHour)
			}, `cert.pem" is refused or missed by the broker; write a client certificate that it trusts, with key_file`,
		},
		"expired client certificate": {
			func(t *testing.T, c *kafka.Config) {
				c.Brokers = secured(t, a, demanding(t, a)).Brokers
				c.TLS.CertFile, c.TLS.KeyFile = a.issue(t, t.TempDir(), time.Now().Add(-time.Hour))
			}, `cert.pem" is refused or missed by the broker`,
		},
		"old TLS": {
			func(t *testing.T, c *kafka.Config) {
				server := a.server(t, inAnHour)
				server.MinVersion, server.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
				c.Brokers = secured(t, a, server).Brokers
			}, `kafka.tls.enabled: "true" finds no version of TLS that the broker has too; turn on TLS 1.2 or 1.3 on the broker`,
		},
		"a broker that ends the handshake": {
			func(t *testing.T, c *kafka.Config) {
				server := a.server(t, inAnHour)
				server.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, errors.New("not today") }
				c.Brokers = secured(t, a, server).Brokers
			}, `kafka.tls.enabled: "true" is not enough, the broker ended the handshake`,
		},
		"good client certificate": {
			func(t *testing.T, c *kafka.Config) {
				c.Brokers = secured(t, a, demanding(t, a)).Brokers
				c.TLS.CertFile, c.TLS.KeyFile = a.issue(t, t.TempDir(), inAnHour)
			}, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := good
			test.change(t, &config)
			err := kafka.Check(testContext(t), config, testUse())
			switch {
			case test.want == "" && err != nil:
				t.Errorf("err = %v", err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("err = %v\nwant %s", err, test.want)
			case err != nil && strings.Contains(err.Error(), "canary"):
				t.Errorf("the error shows the password: %v", err)
			}
		})
	}
}

// Each mechanism's login is taken, and a wrong password is refused by the setting's name.
func TestLogins(t *testing.T) {
	t.Parallel()
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		t.Run(mechanism, func(t *testing.T) {
			t.Parallel()
			_, config := newCluster(t, kfake.EnableSASL(), kfake.Superuser(mechanism, "ada", "canary-secret"))
			config.SASL = kafka.SASL{Mechanism: mechanism, Username: "ada", Password: "canary-secret"}
			if err := kafka.Check(testContext(t), config, testUse()); err != nil {
				t.Errorf("the right password: %v", err)
			}
			config.SASL.Password = "canary-wrong"
			err := kafka.Check(testContext(t), config, testUse())
			if err == nil || !strings.Contains(err.Error(), `kafka.sasl.username: "ada" is refused`) {
				t.Errorf("a wrong password: %v", err)
			}
		})
	}
}

// demanding is a server that wants a client certificate of the authority.
func demanding(t *testing.T, a *authority) *tls.Config {
	t.Helper()
	server := a.server(t, time.Now().Add(time.Hour))
	server.ClientAuth, server.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
	server.ClientCAs.AddCert(a.cert)
	return server
}

func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// A certificate and a password that are replaced on disk are used by the next connection of a client that lives on.
func TestFilesAreReadAgain(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	dir := t.TempDir()
	config := secured(t, a, demanding(t, a))
	config.TLS.CertFile, config.TLS.KeyFile = newAuthority(t).issue(t, dir, time.Now().Add(time.Hour))
	config.SASL.Password, config.SASL.PasswordFile = "", filepath.Join(dir, "password")
	write := func(password string) {
		if err := os.WriteFile(config.SASL.PasswordFile, []byte(password+"\r\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("wrong")
	client := newClient(t, config)
	explained := func() string {
		err := kafka.Explain(client.Ping(testContext(t)), config, "kafka")
		if err == nil {
			return ""
		}
		return err.Error()
	}
	if got := explained(); !strings.Contains(got, "kafka.tls.cert_file") {
		t.Fatalf("with a certificate of another authority: %q", got)
	}
	a.issue(t, dir, time.Now().Add(time.Hour))
	if got := explained(); !strings.Contains(got, "kafka.sasl.username") {
		t.Fatalf("with the wrong password: %q", got)
	}
	write("canary-secret")
	if got := explained(); got != "" {
		t.Fatalf("with both mended: %q", got)
	}
}

// The authority's file is read again too: brokers move to certificates of a new authority while clients live on.
func TestAuthorityIsReadAgain(t *testing.T) {
	t.Parallel()
	before, after := newAuthority(t), newAuthority(t)
	var renewed atomic.Bool
	server, next := before.server(t, time.Now().Add(time.Hour)), after.server(t, time.Now().Add(time.Hour))
	server.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		if renewed.Load() {
			return next, nil
		}
		return nil, nil
	}
	config := secured(t, before, server)
	client := newClient(t, config)
	if err := client.Ping(testContext(t)); err != nil {
		t.Fatal(err)
	}
	renewed.Store(true)
	other := newClient(t, config) // the first keeps its connection, which needs no authority any more
	err := kafka.Explain(other.Ping(testContext(t)), config, "kafka")
	if err == nil || !strings.Contains(err.Error(), "kafka.tls.ca_file") {
		t.Fatalf("with a broker of a new authority: %v", err)
	}
	content, err := os.ReadFile(after.file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(before.file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := other.Ping(testContext(t)); err != nil {
		t.Errorf("with the new authority in the file: %v", err)
	}
}

func TestSourceAndSinkShareARegistry(t *testing.T) {
	t.Parallel()
	_, config := newCluster(t)
	registry := prometheus.NewRegistry()
	for _, role := range []string{"source", "sink"} {
		use := testUse()
		use.Role, use.Metrics = role, registry
		client, err := kafka.NewClient(config, use)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(client.Close)
		if err := client.Ping(testContext(t)); err != nil {
			t.Fatal(err)
		}
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	roles := map[string]bool{}
	for _, family := range families {
		if !strings.HasPrefix(family.GetName(), "streamer_kafka_") {
			t.Errorf("metric %s", family.GetName())
		}
		if family.GetName() != "streamer_kafka_connects_total" {
			continue
		}
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				roles[label.GetName()+"="+label.GetValue()] = true
			}
		}
	}
	if !roles["client=source"] || !roles["client=sink"] {
		t.Errorf("labels of connects_total: %v", roles)
	}
}
