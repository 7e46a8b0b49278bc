package integration_test

import (
	"fmt"
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

// TestCertificatesAreRenewed has a broker that wants a client's certificate, and gives it a certificate of a new authority
// while the service runs. It would catch certificates that are read only once, a service that ends where somebody has to
// replace files, and one that waits for it in silence.
func TestCertificatesAreRenewed(t *testing.T) {
	t.Parallel()
	f, config := secureFlowOn(t, broker.Own(t, map[string]string{kafkatest.ClientAuth: "required"}))
	refused(t, binary.Command(t, "validate", "-c", service.WriteConfig(t, config)),
		"kafka.tls.cert_file: is refused or missed by the broker; write a client certificate that it trusts, with key_file")

	secure, dir := f.broker.Secure, t.TempDir()
	install := func() {
		t.Helper()
		for _, file := range []string{secure.CAFile, secure.CertFile, secure.KeyFile} {
			content, err := os.ReadFile(file)
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, filepath.Base(file)), content, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	install()
	s := binary.Start(t, config.With(service.Config{
		"kafka.tls.ca_file":   filepath.Join(dir, filepath.Base(secure.CAFile)),
		"kafka.tls.cert_file": filepath.Join(dir, filepath.Base(secure.CertFile)),
		"kafka.tls.key_file":  filepath.Join(dir, filepath.Base(secure.KeyFile)),
	}))
	f.fill(t, ledger.Each(f.partitions, 1_000)...)
	s.Until(t, "the group to catch up", f.caughtUp)

	if err := f.broker.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := f.broker.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	restart(t, f)
	f.reopen(t)
	f.fill(t, ledger.Each(f.partitions, 1_000)...)
	s.UntilStatus(t, "the service to say that the authority is unknown", func(status *service.Status) error {
		if status.State != "broker-lost" || !strings.HasPrefix(status.Reason, "kafka.tls.ca_file: ") {
			return fmt.Errorf("state %q, reason %q", status.State, status.Reason)
		}
		return nil
	})
	if err := s.Live(t.Context()); err != nil {
		t.Error(err)
	}
	install()
	s.Until(t, "the group to catch up", f.caughtUp)
	s.Terminate(t)
	f.atLeastOnce(t)
}

func secureFlow(t *testing.T) (*flow, service.Config) {
	t.Helper()
	if broker.Secure == nil {
		kafkatest.Skip(t, kafkatest.NeedKafka, "this broker has no listener with TLS and SCRAM")
	}
	return secureFlowOn(t, broker)
}

func secureFlowOn(t *testing.T, broker *kafkatest.Broker) (*flow, service.Config) {
	t.Helper()
	f := newFlowOn(t, broker, 4)
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
