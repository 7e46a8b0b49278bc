package integration_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"streamer/integration/ledger"
	"streamer/integration/service"
)

// TestCanary runs with secrets of every kind that can be had at once, at debug, and ends as a crash would. It would catch a
// secret in what an operator reads, copies into a ticket, or collects: the log, the status, the metrics, the page, a stack.
func TestCanary(t *testing.T) {
	t.Parallel()
	f, config := secureFlow(t)
	secure := f.broker.Secure
	config = config.With(service.Config{
		"kafka.sasl.password_file":  nil,
		"sink.kafka.brokers":        []string{secure.Addr},
		"sink.kafka.tls.enabled":    true,
		"sink.kafka.tls.ca_file":    secure.CAFile,
		"sink.kafka.sasl.mechanism": "PLAIN",
		"sink.kafka.sasl.username":  secure.Username,
		"schema_registry.urls":      []string{"https://registry.invalid"},
		"schema_registry.username":  secure.Username,
	})
	env := []string{
		"STREAMER_LOG_LEVEL=debug", "GOTRACEBACK=all",
		"STREAMER_KAFKA_SASL_PASSWORD=" + secure.Password,
		"STREAMER_SINK_KAFKA_SASL_PASSWORD=" + secure.Password,
		"STREAMER_SCHEMA_REGISTRY_PASSWORD=" + secure.Password,
	}
	check := func(what, text string) {
		t.Helper()
		for _, form := range []string{
			secure.Password, hex.EncodeToString([]byte(secure.Password)),
			base64.StdEncoding.EncodeToString([]byte(secure.Username + ":" + secure.Password)),
		} {
			if strings.Contains(text, form) {
				t.Errorf("%s: holds the secret as %s", what, form)
			}
		}
	}
	validate := binary.Spawn(t, env, "validate", "-c", service.WriteConfig(t, config))
	if _, err := validate.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(validate.Stdout.String(), "[redacted]") {
		t.Errorf("validate shows no secret, not even redacted: %s", validate.Stdout)
	}
	check("validate", validate.Stdout.String()+validate.Stderr.String())

	f.fill(t, ledger.Each(f.partitions, 500)...)
	s := binary.Start(t, config, env...)
	s.Until(t, "the group to catch up", f.caughtUp)
	for _, path := range []string{"/", "/api/v1/status", "/metrics", "/readyz", "/livez"} {
		text, err := s.Get(t.Context(), path)
		if err != nil {
			t.Error(err)
		}
		check(path, string(text))
	}
	s.Send(t, syscall.SIGQUIT) // the runtime writes every stack and ends the process
	s.Exit(t)
	log := s.Stderr.String()
	if !strings.Contains(log, "goroutine ") || !strings.Contains(log, "DEBUG") {
		t.Errorf("the log has no stacks or no debug lines: %s", s.Stderr.Last(10))
	}
	check("log", log+s.Stdout.String())
}

// secretRow is a secret in the tables of docs/configuration.md, which a test of the program holds equal to it.
var secretRow = regexp.MustCompile("(?m)^\\| `([a-z_.]+)`<br>`(STREAMER_[A-Z_]+)` \\| secret \\|")

// TestEverySecretIsKept gives each secret that the documentation knows to each command that reads the configuration, where it
// does not fit, so that the commands have something to say about it.
func TestEverySecretIsKept(t *testing.T) {
	t.Parallel()
	const canary = "canary-7f3a"
	table, err := os.ReadFile(filepath.Join(binary.Root, "docs", "configuration.md"))
	if err != nil {
		t.Fatal(err)
	}
	file := service.WriteConfig(t, service.Config{
		"source.kafka.topics": []string{"t"}, "source.kafka.group": "g", "sink.drop": map[string]any{}, "admin.listen": "127.0.0.1:0",
	})
	rows := secretRow.FindAllStringSubmatch(string(table), -1)
	if len(rows) == 0 {
		t.Fatal("the documentation has no secrets")
	}
	for _, row := range rows {
		key, variable := row[1], row[2]
		for _, args := range [][]string{
			{"validate", "--offline", "-c", file},
			{"validate", "--offline", "-c", file, "--set", key + "=" + canary},
			{"run", "-c", file, "--set", key + "=" + canary},
			{"offsets", "list", "-c", file, "--set", key + "=" + canary},
			{"health", "-c", file, "--set", key + "=" + canary},
		} {
			command := binary.Spawn(t, []string{variable + "=" + canary, "STREAMER_LOG_LEVEL=debug"}, args...)
			ctx, cancel := context.WithTimeout(t.Context(), service.Patience)
			_, err := command.Wait(ctx)
			cancel()
			out := command.Stdout.String() + command.Stderr.String()
			if given := len(args) > 4 && args[0] != "health"; err != nil || given && !strings.Contains(out, "--set "+key) {
				t.Errorf("%s says nothing of a secret on the command line, %s: %v\n%s", args[0], key, err, out)
			}
			if strings.Contains(out, canary) {
				t.Errorf("%s shows %s:\n%s", args[0], key, out)
			}
		}
	}
}
