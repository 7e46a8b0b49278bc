package kafka

import (
	"time"

	"streamer/internal/setting"
)

// Config is how a cluster is reached. The source has one; a Kafka sink may have its own.
type Config struct {
	Brokers  []string  `yaml:"brokers"`
	ClientID string    `yaml:"client_id"`
	TLS      TLSConfig `yaml:"tls"`
	SASL     SASL      `yaml:"sasl"`
}

// TLSConfig turns on TLS (1.2 or newer, with host check).
type TLSConfig struct {
	Enabled            bool   `yaml:"enabled"`
	CAFile             string `yaml:"ca_file"`
	CertFile           string `yaml:"cert_file"`
	KeyFile            string `yaml:"key_file"`
	ServerName         string `yaml:"server_name"`
	InsecureSkipVerify bool   `yaml:"insecure_skip_verify"`
}

// SASL names a mechanism: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; empty means none.
type SASL struct {
	Mechanism    string         `yaml:"mechanism"`
	Username     string         `yaml:"username"`
	Password     setting.Secret `yaml:"password"`
	PasswordFile string         `yaml:"password_file"`
}

// SourceConfig is what is consumed, and as whom.
type SourceConfig struct {
	Topics         []string         `yaml:"topics"`
	TopicPattern   string           `yaml:"topic_pattern"`
	Group          string           `yaml:"group"`
	GroupProtocol  string           `yaml:"group_protocol"` // classic or consumer
	InstanceID     string           `yaml:"instance_id"`
	SessionTimeout setting.Duration `yaml:"session_timeout"`
	DrainTimeout   setting.Duration `yaml:"drain_timeout"`
	Isolation      string           `yaml:"isolation"` // read_committed or read_uncommitted
	Rack           string           `yaml:"rack"`
	Start          string           `yaml:"start"` // earliest, latest, RFC 3339, or a negative duration such as -15m
	Until          string           `yaml:"until"` // empty, latest or RFC 3339
	OnOutOfRange   string           `yaml:"on_out_of_range"`
}

// DefaultConfig is one broker on this host without security.
func DefaultConfig() Config {
	return Config{Brokers: []string{"localhost:9092"}, ClientID: "streamer"}
}

// DefaultSourceConfig leaves only topics and group to the user.
func DefaultSourceConfig() SourceConfig {
	return SourceConfig{
		GroupProtocol:  "classic",
		SessionTimeout: setting.Duration(45 * time.Second),
		DrainTimeout:   setting.Duration(15 * time.Second),
		Isolation:      "read_committed",
		Start:          "earliest",
		OnOutOfRange:   "fail",
	}
}
