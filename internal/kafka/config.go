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

// TLSConfig turns on TLS (1.2 or newer, with host check). Files are read again for each new connection, so that a
// rotated certificate is used without a restart.
type TLSConfig struct {
	Enabled bool   `yaml:"enabled"`
	CAFile  string `yaml:"ca_file"` // PEM; empty means the system's authorities
	// CertFile and KeyFile (PEM) are the client's own certificate; both or none.
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
	// ServerName is the name that the brokers' certificates must carry; empty means the host that is dialled.
	ServerName         string `yaml:"server_name"`
	InsecureSkipVerify bool   `yaml:"insecure_skip_verify"`
}

// SASL names a mechanism: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER or AWS_MSK_IAM; empty means none. The user is that
// of the first three.
type SASL struct {
	Mechanism string         `yaml:"mechanism"`
	Username  string         `yaml:"username"`
	Password  setting.Secret `yaml:"password"`
	// PasswordFile is read at each authentication; white space at its end is dropped.
	PasswordFile string `yaml:"password_file"`
	OAuth        OAuth  `yaml:"oauth"`
	AWS          AWS    `yaml:"aws"`
}

// SourceConfig is what is consumed, and as whom.
type SourceConfig struct {
	Topics []string `yaml:"topics"`
	// TopicPattern is a Go regular expression that matches anywhere in a topic's name. Kafka's own topics never match.
	TopicPattern string `yaml:"topic_pattern"`
	// Group may be empty only in a bounded run: it then reads partitions directly and commits nothing.
	Group         string `yaml:"group"`
	GroupProtocol string `yaml:"group_protocol"` // classic or consumer
	InstanceID    string `yaml:"instance_id"`
	// SessionTimeout is how long a member may be silent. With group_protocol consumer the broker's
	// group.consumer.session.timeout.ms rules instead.
	SessionTimeout setting.Duration `yaml:"session_timeout"`
	// DrainTimeout is how long a revoked partition may take to deliver and commit what is in a batch already.
	DrainTimeout setting.Duration `yaml:"drain_timeout"`
	Isolation    string           `yaml:"isolation"` // read_committed or read_uncommitted
	Rack         string           `yaml:"rack"`
	Start        string           `yaml:"start"` // earliest, latest, RFC 3339, or a negative duration such as -15m
	Until        string           `yaml:"until"` // empty, latest or RFC 3339
	OnOutOfRange string           `yaml:"on_out_of_range"`
}

// The values of the settings that are a choice of words.
const (
	ProtocolClassic  = "classic"
	ProtocolConsumer = "consumer"

	ReadCommitted   = "read_committed"
	ReadUncommitted = "read_uncommitted"

	OutOfRangeFail     = "fail"
	OutOfRangeEarliest = "earliest"
	OutOfRangeLatest   = "latest"
)

// DefaultConfig is one broker on this host without security.
func DefaultConfig() Config {
	return Config{Brokers: []string{"localhost:9092"}, ClientID: "streamer"}
}

// DefaultSourceConfig leaves only topics and group to the user.
func DefaultSourceConfig() SourceConfig {
	return SourceConfig{
		GroupProtocol:  ProtocolClassic,
		SessionTimeout: setting.Duration(45 * time.Second),
		DrainTimeout:   setting.Duration(15 * time.Second),
		Isolation:      ReadCommitted,
		Start:          "earliest",
		OnOutOfRange:   OutOfRangeFail,
	}
}

const (
	// leastRebalanceTimeout is what kgo and old Java clients use; a member that hangs holds up a rebalance that long.
	leastRebalanceTimeout = time.Minute
	// revokeMargin is what a revoke needs besides the drain: the heartbeat that tells of it (3 s classic, 5 s at the
	// broker's default for consumer), the last commit, and a coordinator that is slow to answer.
	revokeMargin = 10 * time.Second
)

// RebalanceTimeout is how long the coordinator waits for this member to give up partitions before it removes it. Both
// protocols carry it from the member to the broker (JoinGroup, ConsumerGroupHeartbeat); kgo heartbeats while it waits for
// a revoke callback, so the session timeout does not bound a drain. It is a minute, or the session timeout if that is
// longer: whoever lets a member be silent for longer also lets it drain for longer.
func (s SourceConfig) RebalanceTimeout() time.Duration {
	return max(leastRebalanceTimeout, time.Duration(s.SessionTimeout))
}

// longestDrain is the largest drain timeout that fits the rebalance timeout.
func (s SourceConfig) longestDrain() time.Duration { return s.RebalanceTimeout() - revokeMargin }
