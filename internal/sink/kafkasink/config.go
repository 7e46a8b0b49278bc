package kafkasink

import (
	"regexp"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/setting"
)

// Config is section sink.kafka, less the connection: brokers, tls and sasl are internal/kafka's.
type Config struct {
	// Topic that records go to unless the pipeline routes them; empty if it routes all.
	Topic string `yaml:"topic"`
	// Topics that the pipeline may route records to, besides Topic. Any other is refused.
	Topics []string `yaml:"topics"`
	// Compression of the record batches: none, gzip, snappy, lz4 or zstd.
	Compression string `yaml:"compression"`
	// MaxMessageBytes is the largest record batch that is sent, before compression, and so a little more than the largest
	// record. It must not be above the topic's max.message.bytes.
	MaxMessageBytes setting.Bytes `yaml:"max_message_bytes"`
	// Create says how to create the topics that are missing; without it a missing topic fails the start.
	Create *CreateConfig `yaml:"create"`
}

// CreateConfig is the shape of a topic that is created when it is missing. An existing topic is left as it is.
type CreateConfig struct {
	Partitions        int32 `yaml:"partitions"`         // -1: the broker's default
	ReplicationFactor int16 `yaml:"replication_factor"` // -1: the broker's default
}

// DefaultConfig leaves only the topic to the user. 1 MiB is what a broker takes by default (message.max.bytes).
func DefaultConfig() Config {
	return Config{Compression: "lz4", MaxMessageBytes: 1 << 20}
}

var topicName = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)

// The smallest limit that still fits a record beside a batch's header, and one that a broker's largest request
// (socket.request.max.bytes, 100 MiB) takes with room.
const (
	minMessageBytes = 1 << 10
	maxMessageBytes = 64 << 20
)

// Validate lists what is wrong with the configuration.
func (c Config) Validate() []setting.Fault {
	var faults []setting.Fault
	fault := func(field, value, remedy string) {
		faults = append(faults, setting.Fault{Field: "sink.kafka." + field, Value: value, Remedy: remedy})
	}
	const noTopic = "is not a topic name; write 1 to 249 of the characters a-z A-Z 0-9 . _ -"
	switch {
	case c.Topic == "" && len(c.Topics) == 0:
		fault("topic", "", "is required; write the name of the topic that the output goes to")
	case c.Topic != "" && !isTopicName(c.Topic):
		fault("topic", c.Topic, noTopic)
	}
	for i, topic := range c.Topics {
		switch {
		case !isTopicName(topic):
			fault("topics", topic, noTopic)
		case slices.Contains(c.Topics[:i], topic):
			fault("topics", topic, "is listed twice; write it once")
		}
	}
	if _, ok := codec(c.Compression); !ok {
		fault("compression", c.Compression, "is not a compression; write none, gzip, snappy, lz4 or zstd")
	}
	if c.MaxMessageBytes < minMessageBytes || c.MaxMessageBytes > maxMessageBytes {
		fault("max_message_bytes", c.MaxMessageBytes.String(), "is out of range; write 1KiB to 64MiB")
	}
	return append(faults, c.Create.validate()...)
}

func isTopicName(name string) bool {
	return topicName.MatchString(name) && name != "." && name != ".."
}

// Destinations lists every topic that records may go to, each once.
func (c Config) Destinations() []string {
	if c.Topic == "" || slices.Contains(c.Topics, c.Topic) {
		return slices.Clone(c.Topics)
	}
	return append([]string{c.Topic}, c.Topics...)
}

func (c *CreateConfig) validate() []setting.Fault {
	if c == nil {
		return nil
	}
	var faults []setting.Fault
	if c.Partitions < 1 && c.Partitions != -1 {
		faults = append(faults, setting.Fault{
			Field: "sink.kafka.create.partitions", Value: strconv.Itoa(int(c.Partitions)),
			Remedy: "is not a partition count; write 1 or more (the input's count keeps records in their partition), " +
				"or -1 for the broker's default",
		})
	}
	if c.ReplicationFactor < 1 && c.ReplicationFactor != -1 {
		faults = append(faults, setting.Fault{
			Field: "sink.kafka.create.replication_factor", Value: strconv.Itoa(int(c.ReplicationFactor)),
			Remedy: "is not a replication factor; write 3 (1 on a single broker), or -1 for the broker's default",
		})
	}
	return faults
}

// codec maps the name in the configuration to kgo's codec.
func codec(name string) (kgo.CompressionCodec, bool) {
	switch name {
	case "none":
		return kgo.NoCompression(), true
	case "gzip":
		return kgo.GzipCompression(), true
	case "snappy":
		return kgo.SnappyCompression(), true
	case "lz4":
		return kgo.Lz4Compression(), true
	case "zstd":
		return kgo.ZstdCompression(), true
	default:
		return kgo.CompressionCodec{}, false
	}
}
