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

// TestLogins tries each mechanism on a real broker with the right password and a wrong one. It would catch a login that
// only the embedded broker takes, a service that waits in silence, and an error that does not say what to correct.
func TestLogins(t *testing.T) {
	t.Parallel()
	f, config := secureFlow(t)
	validate := func(changes service.Config) service.Output {
		return binary.Command(t, "validate", "-c", service.WriteConfig(t, config.With(changes)))
	}
	wrong := filepath.Join(t.TempDir(), "wrong")
	if err := os.WriteFile(wrong, []byte("canary-wrong"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		right := service.Config{"kafka.sasl.mechanism": mechanism}
		if out := validate(right); out.Code != 0 || !strings.Contains(out.Stderr, "kafka: the brokers answer") {
			t.Errorf("%s: exit code %d: %s", mechanism, out.Code, out.Stderr)
		}
		refused(t, validate(service.Config{"kafka.sasl.mechanism": mechanism, "kafka.sasl.password_file": wrong}),
			`kafka.sasl.username: "`+f.broker.Secure.Username+`" is refused by the broker`)
		refused(t, validate(service.Config{"kafka.sasl.mechanism": mechanism, "kafka.brokers": []string{f.broker.Secure.OAuth}}),
			`kafka.sasl.mechanism: "`+mechanism+`" is not offered by the broker`)
		refused(t, validate(service.Config{"kafka.sasl.mechanism": mechanism, "kafka.tls.ca_file": newEndpoint(t).caFile}),
			`kafka.tls.ca_file: "`)
		refused(t, validate(service.Config{"kafka.sasl.mechanism": mechanism, "kafka.tls.server_name": "elsewhere"}),
			`kafka.tls.server_name: "elsewhere" does not match the broker's certificate`)
	}
}

// refused checks that a command failed, said why, and showed no password.
func refused(t *testing.T, out service.Output, want string) {
	t.Helper()
	if out.Code != 1 || !strings.Contains(out.Stderr, want) {
		t.Errorf("exit code %d: %s\nwant 1 and %s", out.Code, out.Stderr, want)
	}
	if strings.Contains(out.Stderr+out.Stdout, "canary") {
		t.Errorf("the output holds the password: %s\n%s", out.Stderr, out.Stdout)
	}
}

// TestWrongPassword would catch a service that waits in silence.
func TestWrongPassword(t *testing.T) {
	t.Parallel()
	_, config := secureFlow(t)
	s := binary.Start(t, config.With(service.Config{"kafka.sasl.password_file": nil}), "STREAMER_KAFKA_SASL_PASSWORD=not-it")
	if line, err := s.Stderr.WaitLine(t.Context(), "SASL_AUTHENTICATION_FAILED"); err != nil {
		t.Error(err)
	} else if strings.Contains(line, "not-it") {
		t.Errorf("the log holds the password: %s", line)
	}
	if code := s.Exit(t); code != 1 {
		t.Errorf("exit code %d, want 1", code)
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
