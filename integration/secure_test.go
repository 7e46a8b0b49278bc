package integration_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"streamer/integration/kafkatest"
	"streamer/integration/ledger"
	"streamer/integration/service"
)

// TestTLSAndSCRAM would catch a source or a sink that does not use the connection's security, and a password that ends
// up in the log.
func TestTLSAndSCRAM(t *testing.T) {
	t.Parallel()
	f, config := secureFlow(t)
	f.fill(t, ledger.Each(f.partitions, 5_000)...)
	s := binary.Start(t, config, "STREAMER_LOG_LEVEL=debug")
	s.Until(t, "the group to catch up", f.caughtUp)
	s.Terminate(t)
	f.exactlyOnce(t)
	if strings.Contains(s.Stderr.String(), f.broker.Secure.Password) {
		t.Error("the log holds the password")
	}
}

// TestWrongPassword would catch a service that waits in silence, and takes long to say why.
func TestWrongPassword(t *testing.T) {
	t.Parallel()
	_, config := secureFlow(t)
	s := binary.Start(t, config.With(service.Config{"kafka.sasl.password_file": nil}), "STREAMER_KAFKA_SASL_PASSWORD=not-it")
	if line, err := s.Stderr.WaitLine(t.Context(), "SASL_AUTHENTICATION_FAILED"); err != nil {
		t.Error(err)
	} else if strings.Contains(line, "not-it") {
		t.Errorf("the log holds the password: %s", line)
	}
}

func secureFlow(t *testing.T) (*flow, service.Config) {
	t.Helper()
	if broker.Secure == nil {
		kafkatest.Skip(t, kafkatest.NeedKafka, "this broker has no listener with TLS and SCRAM")
	}
	f := newFlow(t, 4)
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte(broker.Secure.Password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return f, f.config().With(service.Config{
		"kafka.brokers":            []string{broker.Secure.Addr},
		"kafka.tls.enabled":        true,
		"kafka.tls.ca_file":        broker.Secure.CAFile,
		"kafka.sasl.mechanism":     "SCRAM-SHA-512",
		"kafka.sasl.username":      broker.Secure.Username,
		"kafka.sasl.password_file": password,
	})
}
