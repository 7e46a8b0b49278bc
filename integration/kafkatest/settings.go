package kafkatest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Version of Apache Kafka that the tests start, and its image.
const (
	Version = "4.3.1"
	Image   = "apache/kafka:" + Version
)

// proxies is how many tests can have a listener behind a proxy at the same time.
const proxies = 4

// options are what a test may ask of a broker.
type options struct {
	settings map[string]string
}

// The security protocols of the listeners.
const (
	plaintext = "PLAINTEXT"
	saslSSL   = "SASL_SSL"
)

// listener is one of the broker's addresses.
type listener struct {
	name       string
	protocol   string
	bind       string // host:port
	advertised string // host:port; empty for the controller's
}

// settings is the broker's configuration: one node that is broker and controller, small, and quick to notice that a
// member is gone, so that tests of crashes do not wait for 45 s.
func settings(listeners []listener, own map[string]string) map[string]string {
	var binds, advertised, protocols []string
	for _, l := range listeners {
		binds = append(binds, l.name+"://"+l.bind)
		protocols = append(protocols, l.name+":"+l.protocol)
		if l.advertised != "" {
			advertised = append(advertised, l.name+"://"+l.advertised)
		}
	}
	all := map[string]string{
		"node.id":                        "1",
		"process.roles":                  "broker,controller",
		"listeners":                      strings.Join(binds, ","),
		"advertised.listeners":           strings.Join(advertised, ","),
		"listener.security.protocol.map": strings.Join(protocols, ","),
		"controller.listener.names":      "CONTROLLER",
		"inter.broker.listener.name":     "BROKER",

		"auto.create.topics.enable":            "false",
		"offsets.topic.num.partitions":         "4",
		"group.initial.rebalance.delay.ms":     "0",
		"transaction.state.log.num.partitions": "4",

		"group.min.session.timeout.ms":             "1000",
		"group.consumer.min.session.timeout.ms":    "1000",
		"group.consumer.session.timeout.ms":        "6000",
		"group.consumer.min.heartbeat.interval.ms": "100",
		"group.consumer.heartbeat.interval.ms":     "500",

		// So that a test can take a topic away, and give it back, by an ACL.
		"authorizer.class.name":          "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
		"allow.everyone.if.no.acl.found": "true",

		// Compaction runs when a test's topic asks for it, not every 15 s.
		"log.cleaner.backoff.ms":         "200",
		"log.cleaner.dedupe.buffer.size": "4194304",
	}
	for _, topic := range []string{"offsets.topic", "transaction.state.log", "share.coordinator.state.topic"} {
		all[topic+".replication.factor"] = "1"
		all[topic+".min.isr"] = "1"
	}
	delete(all, "offsets.topic.min.isr") // has no such setting
	maps.Copy(all, own)
	return all
}

// properties renders settings as a server.properties file.
func properties(settings map[string]string) string {
	var text strings.Builder
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&text, "%s=%s\n", key, settings[key])
	}
	return text.String()
}

// environment renders settings as the image's environment variables.
func environment(settings map[string]string) map[string]string {
	env := make(map[string]string, len(settings))
	name := strings.NewReplacer(".", "_", "_", "__", "-", "___")
	for key, value := range settings {
		env["KAFKA_"+strings.ToUpper(name.Replace(key))] = value
	}
	return env
}
