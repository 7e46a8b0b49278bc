package kafka_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"streamer/internal/kafka"
	"streamer/internal/setting"
)

func TestConfigDefaultIsValid(t *testing.T) {
	t.Parallel()
	config := kafka.DefaultConfig()
	if faults := append(config.Validate("kafka"), config.Warnings("kafka")...); len(faults) > 0 {
		t.Errorf("faults = %v", faults)
	}
}

func TestConfigFaults(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(*kafka.Config)
		want   []string
	}{
		"no brokers": {
			func(c *kafka.Config) { c.Brokers = nil },
			[]string{"sink.kafka.brokers: is missing; write [host:9092]"},
		},
		"brokers": {
			func(c *kafka.Config) { c.Brokers = []string{"good:9092", "host", "kafka://host:1", ":9092", "host:0"} },
			[]string{`"host" is not host:port`, `"kafka://host:1" is not`, `":9092" is not`, `"host:0" is not`},
		},
		"tls off": {
			func(c *kafka.Config) { c.TLS = kafka.TLSConfig{CAFile: "ca.pem", InsecureSkipVerify: true} },
			[]string{
				`sink.kafka.tls.ca_file: "ca.pem" has no effect without TLS; set sink.kafka.tls.enabled: true`,
				`sink.kafka.tls.insecure_skip_verify: "true" has no effect without TLS`,
			},
		},
		"tls files": {
			func(c *kafka.Config) {
				c.TLS = kafka.TLSConfig{Enabled: true, CAFile: "/nowhere/ca.pem", CertFile: "/nowhere/cert.pem"}
			},
			[]string{
				`sink.kafka.tls.ca_file: "/nowhere/ca.pem" cannot be read (no such file or directory)`,
				`sink.kafka.tls.key_file: is missing beside cert_file`,
			},
		},
		"tls not PEM": {
			func(c *kafka.Config) {
				c.TLS = kafka.TLSConfig{Enabled: true, CAFile: empty, CertFile: empty, KeyFile: empty}
			},
			[]string{`.tls.ca_file: "` + empty + `" holds no certificate`, `.tls.cert_file: "` + empty + `" is no pair with key_file`},
		},
		"mechanism": {
			func(c *kafka.Config) { c.SASL = kafka.SASL{Mechanism: "plain", Username: "u", Password: "canary"} },
			[]string{`sink.kafka.sasl.mechanism: "plain" is not supported; write PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER or AWS_MSK_IAM`},
		},
		"no mechanism": {
			func(c *kafka.Config) { c.SASL = kafka.SASL{Username: "u", Password: "canary"} },
			[]string{`sink.kafka.sasl.mechanism: is missing`},
		},
		"no user or password": {
			func(c *kafka.Config) { c.SASL.Mechanism = "PLAIN" },
			[]string{`sink.kafka.sasl.username: is missing`, `sink.kafka.sasl.password: is missing; set password_file, or the variable STREAMER_SINK_KAFKA_SASL_PASSWORD`},
		},
		"two passwords": {
			func(c *kafka.Config) {
				c.SASL = kafka.SASL{Mechanism: "PLAIN", Username: "u", Password: "canary", PasswordFile: "f"}
			},
			[]string{`sink.kafka.sasl.password_file: "f" stands beside password`},
		},
		"password file": {
			func(c *kafka.Config) {
				c.SASL = kafka.SASL{Mechanism: "PLAIN", Username: "u", PasswordFile: empty}
			},
			[]string{`sink.kafka.sasl.password_file: "` + empty + `" is empty`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := kafka.DefaultConfig()
			test.change(&config)
			wantFaults(t, config.Validate("sink.kafka"), test.want...)
		})
	}
}

func TestConfigWarnings(t *testing.T) {
	t.Parallel()
	config := kafka.DefaultConfig()
	config.SASL.Mechanism = "SCRAM-SHA-512"
	wantFaults(t, config.Warnings("kafka"), `kafka.sasl.mechanism: "SCRAM-SHA-512" runs without TLS`)
	config.TLS = kafka.TLSConfig{Enabled: true, InsecureSkipVerify: true}
	wantFaults(t, config.Warnings("kafka"), `kafka.tls.insecure_skip_verify: "true" accepts any broker's certificate`)
}

func TestSourceConfigFaults(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*kafka.SourceConfig)
		want   []string
	}{
		"good":         {func(*kafka.SourceConfig) {}, nil},
		"good pattern": {func(s *kafka.SourceConfig) { s.Topics, s.TopicPattern = nil, "^events-" }, nil},
		"bounded":      {func(s *kafka.SourceConfig) { s.Group, s.Until = "", "latest" }, nil},
		"no topics":    {func(s *kafka.SourceConfig) { s.Topics = nil }, []string{"source.kafka.topics: is missing"}},
		"both":         {func(s *kafka.SourceConfig) { s.TopicPattern = "x" }, []string{`source.kafka.topic_pattern: "x" stands beside topics`}},
		"bad pattern":  {func(s *kafka.SourceConfig) { s.Topics, s.TopicPattern = nil, "(" }, []string{`topic_pattern: "(" is not a regular expression`}},
		"bad topic":    {func(s *kafka.SourceConfig) { s.Topics = []string{"a b", ".."} }, []string{`"a b" is not a topic name`, `".." is not`}},
		"empty topic": {func(s *kafka.SourceConfig) { s.Topics = []string{"a", ""} }, []string{
			"source.kafka.topics: has an empty name in it; write the topic's name, or remove it",
		}},
		"no start":        {func(s *kafka.SourceConfig) { s.Start = "" }, []string{`source.kafka.start: is missing; write earliest, latest`}},
		"twice":           {func(s *kafka.SourceConfig) { s.Topics = []string{"a", "a"} }, []string{`topics: "a" is listed twice`}},
		"no group":        {func(s *kafka.SourceConfig) { s.Group = "" }, []string{"source.kafka.group: is missing"}},
		"protocol":        {func(s *kafka.SourceConfig) { s.GroupProtocol = "eager" }, []string{`"eager" is not known; write classic or consumer`}},
		"isolation":       {func(s *kafka.SourceConfig) { s.Isolation = "" }, []string{`isolation: is missing; write read_committed or read_uncommitted`}},
		"out of range":    {func(s *kafka.SourceConfig) { s.OnOutOfRange = "skip" }, []string{`"skip" is not known; write fail, earliest or latest`}},
		"start":           {func(s *kafka.SourceConfig) { s.Start = "15m" }, []string{`source.kafka.start: "15m" is not a start`}},
		"start by offset": {func(s *kafka.SourceConfig) { s.Start = "15" }, []string{`source.kafka.start: "15" is not a start`}},
		"until":           {func(s *kafka.SourceConfig) { s.Until = "-15m" }, []string{`source.kafka.until: "-15m" is not an end`}},
		"session":         {func(s *kafka.SourceConfig) { s.SessionTimeout = 1 }, []string{`session_timeout: "1ns" is outside`}},
		"no drain":        {func(s *kafka.SourceConfig) { s.DrainTimeout = 0 }, []string{`drain_timeout: "0" leaves a revoked partition no time`}},
		"drain": {
			func(s *kafka.SourceConfig) { s.DrainTimeout = setting.Duration(51 * time.Second) },
			[]string{`source.kafka.drain_timeout: "51s" does not fit the rebalance timeout of 1m less 10s, ` +
				`the group would drop this member while it drains; write 50s or less, or raise session_timeout`},
		},
		"longest drain": {func(s *kafka.SourceConfig) { s.DrainTimeout = setting.Duration(50 * time.Second) }, nil},
		"long session": {
			func(s *kafka.SourceConfig) {
				s.SessionTimeout, s.DrainTimeout = setting.Duration(5*time.Minute), setting.Duration(4*time.Minute)
			}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := kafka.DefaultSourceConfig()
			s.Topics, s.Group = []string{"events"}, "group"
			test.change(&s)
			wantFaults(t, s.Validate(), test.want...)
		})
	}
}

func TestSourceConfigWarnings(t *testing.T) {
	t.Parallel()
	s := kafka.DefaultSourceConfig()
	s.GroupProtocol = kafka.ProtocolConsumer
	wantFaults(t, s.Warnings())
	s.SessionTimeout = setting.Duration(time.Minute)
	wantFaults(t, s.Warnings(), `source.kafka.session_timeout: "1m" is not sent`)
}

// wantFaults compares each fault with the part of its text that is wanted, in order.
func wantFaults(t *testing.T, faults []setting.Fault, want ...string) {
	t.Helper()
	if len(faults) != len(want) {
		t.Fatalf("%d faults: %v; want %d", len(faults), faults, len(want))
	}
	for i, fault := range faults {
		if !strings.Contains(fault.Error(), want[i]) {
			t.Errorf("fault %d:\n got %s\nwant %s", i, fault.Error(), want[i])
		}
		if strings.Contains(fault.Error(), "canary") {
			t.Errorf("fault %d shows the password", i)
		}
	}
}
