package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/setting"
)

// PollClass says what an error that came out of a poll asks for.
type PollClass uint8

// The classes.
const (
	// PollRetry means that the client goes on by itself: a broker is away, a leader moves.
	PollRetry PollClass = iota
	// PollSession means that the group session has ended; the client joins again by itself, and the callbacks tell which
	// partitions were lost.
	PollSession
	// PollInstanceHeld means that KIP-848 does not let the member join, because the session of another with its instance id
	// has not ended; the client tries again. If that one has crashed it ends soon, if it lives it does not.
	PollInstanceHeld
	// PollOutOfRange means that the position is not in the log; the client has stopped fetching the partition. What
	// on_out_of_range says follows.
	PollOutOfRange
	// PollDataLoss means that the log was cut below the position (an unclean leader election); the client went back.
	PollDataLoss
	// PollUndecodable means that the client itself, and not the broker, has a complaint about a partition: the batch at its
	// position is broken, in no format that is known, or unpacks to more than the memory budget allows. After the last the
	// client stops fetching the partition; others it fetches again without end, or passes over.
	PollUndecodable
	// PollRecreated means that the topic was deleted and perhaps created again; the client does not consume the new one.
	PollRecreated
	// PollFatal means that someone has to change something: authorisation, login, a setting that the broker refuses.
	PollFatal
	// PollClosed means that the client or the poll's context was closed.
	PollClosed
)

func (c PollClass) String() string {
	return [...]string{
		"retry", "session", "instance-held", "out-of-range", "data-loss", "undecodable", "recreated", "fatal", "closed",
	}[c]
}

// PollError is an error that came out of a poll, or keeps polls from giving anything. Partition is -1 if it is not about a
// partition, and Topic empty if it is not about a topic either.
type PollError struct {
	Class     PollClass
	Topic     string
	Partition int32
	Err       error
}

func (e *PollError) Error() string {
	text := "poll"
	switch {
	case e.Topic != "" && e.Partition < 0:
		text = "poll " + e.Topic
	case e.Topic != "":
		text = fmt.Sprintf("poll %s/%d", e.Topic, e.Partition)
	}
	text += ": " + e.Err.Error()
	if remedy := e.remedy(); remedy != "" {
		text += "; " + remedy
	}
	return text
}

// Unwrap returns the cause.
func (e *PollError) Unwrap() error { return e.Err }

// ClassifyPoll classes one error of a fetch, as [kgo.Fetches.EachError] gives it.
func ClassifyPoll(topic string, partition int32, err error) *PollError {
	if topic == "" {
		partition = -1
	}
	class := pollClass(err)
	if _, isCode := errors.AsType[*kerr.Error](err); class == PollFatal && !isCode && topic != "" {
		class = PollUndecodable // what the broker refuses has a code; kgo's own words on a partition are of its batches
	}
	return &PollError{Class: class, Topic: topic, Partition: partition, Err: err}
}

func pollClass(err error) PollClass {
	if _, ok := errors.AsType[*kgo.ErrDataLoss](err); ok {
		return PollDataLoss
	}
	session, inSession := errors.AsType[*kgo.ErrGroupSession](err)
	switch {
	case errors.Is(err, kgo.ErrClientClosed), errors.Is(err, context.Canceled) && !inSession,
		errors.Is(err, context.DeadlineExceeded) && !inSession:
		return PollClosed
	case inSession:
		return sessionClass(session)
	case errors.Is(err, errNoLeader), errors.Is(err, errNoAnswer): // of a look-up; a broker answers nothing beyond a quota
		return PollRetry
	case errors.Is(err, kerr.OffsetOutOfRange):
		return PollOutOfRange
	case errors.Is(err, kerr.UnknownTopicID), errors.Is(err, kerr.InconsistentTopicID):
		return PollRecreated
	}
	code, isCode := errors.AsType[*kerr.Error](err)
	if isCode && code.Retriable || !isCode && isConnection(err) {
		return PollRetry
	}
	// What nobody has classed is not retried: it would stand still in silence.
	return PollFatal
}

// isConnection tells errors of reaching a broker, which end by themselves, also when that takes a person: a certificate
// that is renewed, a file that is put back.
func isConnection(err error) bool {
	if kgo.IsRetryableBrokerErr(err) || errors.Is(err, io.EOF) {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	_, isCertificate := errors.AsType[*tls.CertificateVerificationError](err)
	_, isFile := errors.AsType[setting.Fault](err)
	return isCertificate || isFile
}

func sessionClass(session *kgo.ErrGroupSession) PollClass {
	if errors.Is(session.Err, kerr.UnreleasedInstanceID) {
		return PollInstanceHeld
	}
	switch ClassifyCommit(session.Err) {
	case CommitOwnership:
		return PollSession
	case CommitFatal:
		return PollFatal
	default:
		return PollRetry
	}
}

const unpackRemedy = "raise memory.budget: one batch may unpack to a quarter of it"

// remedies by broker code, for what a person has to do.
func (e *PollError) remedy() string {
	switch e.Class {
	case PollUndecodable:
		if errors.Is(e.Err, kgo.ErrMaxDecompress) {
			return unpackRemedy
		}
		return ""
	case PollRecreated:
		return "the topic was deleted or created anew; restart to consume the new one from source.kafka.start, " +
			"after `streamer offsets set` if commits of the old one remain"
	case PollOutOfRange:
		return "its records were deleted before they were read, or the log was cut; set source.kafka.on_out_of_range to earliest " +
			"or latest, or move the group by `streamer offsets set`"
	case PollFatal:
		return remedy(e.Err)
	default:
		return ""
	}
}

// remedy is what a person has to do about a broker's refusal; empty if it is not known.
func remedy(err error) string {
	for _, known := range []struct {
		code   error
		remedy string
	}{
		{kerr.TopicAuthorizationFailed, "grant READ on the topic"},
		{kerr.GroupAuthorizationFailed, "grant READ on the group of source.kafka.group"},
		{kerr.SaslAuthenticationFailed, "correct kafka.sasl"},
		{kerr.InvalidSessionTimeout, "set source.kafka.session_timeout to what the broker allows (group.min.session.timeout.ms)"},
		{kerr.InconsistentGroupProtocol, "all members need the same assignor and source.kafka.group_protocol; stop the others"},
		{kerr.FencedInstanceID, "another process uses the same source.kafka.instance_id; give each its own"},
		{kerr.UnreleasedInstanceID, "another process uses the same source.kafka.instance_id; give each its own"},
		{kerr.UnsupportedVersion, "the broker is too old for it"},
	} {
		if errors.Is(err, known.code) {
			return known.remedy
		}
	}
	return ""
}
