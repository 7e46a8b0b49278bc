package kafkasink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/record"
	"streamer/internal/sink"
)

// denied lists refusals of our credentials. An operator mends them on the cluster while Streamer waits, loudly.
func denied() []error {
	return []error{
		kerr.SaslAuthenticationFailed, kerr.TopicAuthorizationFailed, kerr.ClusterAuthorizationFailed,
		kerr.TransactionalIDAuthorizationFailed, kerr.DelegationTokenExpired, kerr.IllegalSaslState,
		kerr.UnsupportedSaslMechanism, kerr.SecurityDisabled,
	}
}

// passing lists failures that waiting may cure although Kafka does not call them retriable: a broker's bug or full disk,
// a batch damaged on its way, quotas, and kgo's own limits.
func passing() []error {
	return []error{
		kerr.UnknownServerError, kerr.CorruptMessage, kerr.ThrottlingQuotaExceeded,
		kgo.ErrRecordTimeout, kgo.ErrRecordRetries, kgo.ErrAborting,
	}
}

// poisoned lists failures that the client keeps for all later records: it must be replaced before a retry can succeed.
func poisoned() []error {
	return []error{
		kerr.ClusterAuthorizationFailed, kerr.TransactionalIDAuthorizationFailed, kerr.ProducerFenced,
		kerr.InvalidProducerEpoch, kerr.InvalidProducerIDMapping, kerr.UnknownProducerID, kerr.OutOfOrderSequenceNumber,
	}
}

func isAny(err error, targets []error) bool {
	return slices.ContainsFunc(targets, func(target error) bool { return errors.Is(err, target) })
}

// isGone reports that the topic was deleted, or deleted and created again.
func isGone(err error) bool {
	return errors.Is(err, kerr.UnknownTopicOrPartition) || errors.Is(err, kerr.UnknownTopicID)
}

func isNetwork(err error) bool {
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}

// mayPass reports whether the same records may be taken later.
func mayPass(err error) bool {
	return isAny(err, denied()) || isAny(err, passing()) || isAny(err, poisoned()) || kerr.IsRetriable(err) || isNetwork(err)
}

// refusals lists answers that are about the records themselves: others may be taken, these will not.
func refusals() []error {
	return []error{kerr.MessageTooLarge, kerr.RecordListTooLarge, kerr.InvalidRecord, kerr.InvalidTimestamp}
}

func isRefusal(err error) bool { return isAny(err, refusals()) }

func isTooLarge(err error) bool {
	return errors.Is(err, kerr.MessageTooLarge) || errors.Is(err, kerr.RecordListTooLarge)
}

// oversize is the failure of an output that no record batch can hold, in the client's words.
func oversize(out *record.Output) error {
	return fmt.Errorf("%w (uncompressed_bytes=%d)", kerr.MessageTooLarge, out.Payload())
}

// reject names a record that no broker will take.
func (s *Sink) reject(block *record.Block, index int, err error, topic string) sink.Rejection {
	rejection := sink.Reject(block, index, s.explain(err, topic))
	rejection.TooLarge = isTooLarge(err)
	return rejection
}

// explain puts the sink's words and remedies around an error of the client.
func (s *Sink) explain(err error, topic string) error {
	switch {
	case isGone(err):
		return fmt.Errorf("produce to topic %s: it was deleted: %w; create it and start again, or set %s.create",
			topic, err, s.cluster.Path)
	case isTooLarge(err):
		return fmt.Errorf("produce to topic %s: %w; raise %s.max_message_bytes (%s) and the topic's "+
			"max.message.bytes, or skip the record", topic, err, s.cluster.Path, s.cfg.MaxMessageBytes)
	case isAny(err, denied()):
		return fmt.Errorf("produce to topic %s: %w; the sink's user needs DESCRIBE and WRITE on the topic", topic, err)
	default:
		return fmt.Errorf("produce to topic %s: %w", topic, err)
	}
}

// classify decides what a failure that is no refusal means for the batch.
func (s *Sink) classify(err error, topic string) error {
	explained := s.explain(err, topic)
	switch {
	case isGone(err) && s.cfg.Create != nil:
		return &sink.RetryableError{Err: explained}
	case isGone(err):
		return &sink.PermanentError{Err: explained}
	case mayPass(err), s.short.Load():
		return &sink.RetryableError{Err: explained}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return explained
	default:
		return &sink.PermanentError{Err: explained}
	}
}
