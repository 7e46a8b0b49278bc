package kafka

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"streamer/internal/setting"
)

const sourcePath = "source.kafka"

// Session timeouts that a broker takes by its own defaults: group.min.session.timeout.ms is 6 s, but often lowered, and
// group.max.session.timeout.ms is 30 min.
const (
	leastSession = time.Second
	mostSession  = 30 * time.Minute
)

// Validate returns what is wrong with the values; fields carry the full path.
func (s SourceConfig) Validate() []setting.Fault {
	faults := s.validateTopics()
	if s.Group == "" && s.Until == "" {
		faults = append(faults, sourceFault("group", "",
			"is missing; write the consumer group, or set until to read once without a group"))
	}
	faults = append(faults, s.validateTimes()...)
	faults = append(faults, validateWord("group_protocol", s.GroupProtocol, ProtocolClassic, ProtocolConsumer)...)
	faults = append(faults, validateWord("isolation", s.Isolation, ReadCommitted, ReadUncommitted)...)
	faults = append(faults, validateWord("on_out_of_range", s.OnOutOfRange,
		OutOfRangeFail, OutOfRangeEarliest, OutOfRangeLatest)...)
	if _, err := ParseStart(s.Start); err != nil {
		faults = append(faults, asFault(err, sourcePath+".start", s.Start))
	}
	if s.Until != "" {
		if _, err := ParseUntil(s.Until); err != nil {
			faults = append(faults, asFault(err, sourcePath+".until", s.Until))
		}
	}
	return faults
}

// Warnings returns settings that are allowed but do nothing, in the form of [SourceConfig.Validate].
func (s SourceConfig) Warnings() []setting.Fault {
	if s.GroupProtocol == ProtocolConsumer && s.SessionTimeout != DefaultSourceConfig().SessionTimeout {
		return []setting.Fault{sourceFault("session_timeout", s.SessionTimeout.String(),
			"is not sent with group_protocol: consumer; set group.consumer.session.timeout.ms on the broker")}
	}
	return nil
}

func (s SourceConfig) validateTopics() []setting.Fault {
	switch {
	case len(s.Topics) == 0 && s.TopicPattern == "":
		return []setting.Fault{sourceFault("topics", "", "is missing; write [topic], or set topic_pattern")}
	case len(s.Topics) > 0 && s.TopicPattern != "":
		return []setting.Fault{sourceFault("topic_pattern", s.TopicPattern, "stands beside topics; keep one of the two")}
	case s.TopicPattern != "":
		if _, err := regexp.Compile(s.TopicPattern); err != nil {
			return []setting.Fault{sourceFault("topic_pattern", s.TopicPattern,
				"is not a regular expression ("+err.Error()+"); write for example ^events-.*$")}
		}
		return nil
	}
	var faults []setting.Fault
	for i, topic := range s.Topics {
		switch {
		case topic == "":
			faults = append(faults, sourceFault("topics", "", "has an empty name in it; write the topic's name, or remove it"))
		case !validTopic(topic):
			faults = append(faults, sourceFault("topics", topic,
				"is not a topic name; use letters, digits, dots, dashes and underscores, at most 249"))
		case slices.Contains(s.Topics[:i], topic):
			faults = append(faults, sourceFault("topics", topic, "is listed twice; remove one"))
		}
	}
	return faults
}

func validTopic(topic string) bool {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
	return topic != "" && len(topic) <= 249 && topic != "." && topic != ".." && strings.Trim(topic, allowed) == ""
}

func (s SourceConfig) validateTimes() []setting.Fault {
	var faults []setting.Fault
	if session := time.Duration(s.SessionTimeout); session < leastSession || session > mostSession {
		faults = append(faults, sourceFault("session_timeout", s.SessionTimeout.String(),
			"is outside of what brokers take; write 1s to 30m (a broker's own least is 6s unless lowered)"))
	}
	switch drain := time.Duration(s.DrainTimeout); {
	case drain <= 0:
		faults = append(faults, sourceFault("drain_timeout", s.DrainTimeout.String(),
			"leaves a revoked partition no time to deliver; write for example 15s"))
	case drain > s.longestDrain():
		faults = append(faults, sourceFault("drain_timeout", s.DrainTimeout.String(),
			"does not fit the rebalance timeout of "+setting.Duration(s.RebalanceTimeout()).String()+
				" less "+setting.Duration(revokeMargin).String()+", the group would drop this member while it drains; write "+
				setting.Duration(s.longestDrain()).String()+" or less, or raise session_timeout"))
	}
	return faults
}

func validateWord(key, value string, words ...string) []setting.Fault {
	if slices.Contains(words, value) {
		return nil
	}
	last := len(words) - 1
	choice := strings.Join(words[:last], ", ") + " or " + words[last]
	remedy := "is not known; write " + choice
	if value == "" {
		remedy = "is missing; write " + choice
	}
	return []setting.Fault{sourceFault(key, value, remedy)}
}

func sourceFault(key, value, remedy string) setting.Fault {
	return setting.Fault{Field: sourcePath + "." + key, Value: value, Remedy: remedy}
}
