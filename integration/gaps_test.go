package integration_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/integration/eventually"
	"streamer/integration/kafkatest"
	"streamer/integration/ledger"
	"streamer/integration/service"
)

// TestCompactedTopic would catch a tracker that expects each offset to be the one before plus one.
func TestCompactedTopic(t *testing.T) {
	t.Parallel()
	needKafka(t, "log compaction")
	input := broker.Topic(t, "compacted", 2, map[string]string{
		"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.01", "segment.ms": "100",
		"min.compaction.lag.ms": "0", "max.compaction.lag.ms": "200",
	})
	f := newFlowFrom(t, broker, input, 2)
	const each = 2_000
	f.fill(t, each, each)
	held := 2 * each
	// A segment is closed by the first record after its time, and only closed segments are compacted.
	eventually.Holds(t, service.Patience, "the topic to be compacted", func(ctx context.Context) error {
		if err := f.Fill(ctx, 1, 1); err != nil {
			return err
		}
		l, err := ledger.ReadInput(ctx, f.broker.Addrs, f.Run, f.Topic)
		if err != nil {
			return err
		}
		held = len(l.Produced[0]) + len(l.Produced[1])
		if held > each {
			return fmt.Errorf("the topic still holds %d records", held)
		}
		return nil
	})
	t.Logf("%d of %d records are left", held, 2*each)
	f.sample(t)
	s := binary.Start(t, f.config())
	s.Until(t, "the group to catch up", f.caughtUp)
	s.UntilStatus(t, "lag 0", noLag)
	s.Terminate(t)

	// Compaction goes on while the service reads: it may deliver a record that is gone by now.
	report := f.report(t)
	report.Strangers = nil
	if err := report.ExactlyOnce(); err != nil {
		t.Error(err)
	}
}

// TestAbortedTransactions would catch aborted records that are delivered, and a lag that never reaches 0 because the
// last offset is a marker. The last transaction is left open: a bounded run ends before it.
func TestAbortedTransactions(t *testing.T) {
	t.Parallel()
	needKafka(t, "it forgets aborted transactions when a fetch does not take all of them")
	f := newFlow(t, 2)
	client := f.broker.Client(t, append(ledger.ProducerOpts(), kgo.TransactionalID(kafkatest.Unique("tx")))...)
	producer := ledger.NewProducer(client, f.Topic, f.Run, 2)
	for range 10 {
		transaction(t, client, producer, kgo.TryCommit)
		transaction(t, client, producer, kgo.TryAbort)
	}
	f.sample(t)
	s := binary.Start(t, f.config())
	s.Until(t, "the group to catch up behind the markers", f.caughtUp)
	s.UntilStatus(t, "lag 0", noLag)
	s.Terminate(t)
	f.exactlyOnce(t)

	transaction(t, client, producer, kgo.TryCommit)
	begin(t, client, producer)
	s = binary.Start(t, f.config().With(service.Config{"source.kafka.until": "latest"}))
	if code := s.Exit(t); code != 0 {
		t.Errorf("exit code %d of a bounded run before an open transaction, want 0", code)
	}
	if err := f.caughtUp(t.Context()); err != nil {
		t.Error(err)
	}
	f.exactlyOnce(t)
	end(t, client, kgo.TryAbort)
}

func transaction(t *testing.T, client *kgo.Client, producer *ledger.Producer, how kgo.TransactionEndTry) {
	t.Helper()
	begin(t, client, producer)
	end(t, client, how)
}

func begin(t *testing.T, client *kgo.Client, producer *ledger.Producer) {
	t.Helper()
	if err := client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := producer.Fill(t.Context(), 100, 30); err != nil {
		t.Fatal(err)
	}
}

func end(t *testing.T, client *kgo.Client, how kgo.TransactionEndTry) {
	t.Helper()
	if err := client.EndTransaction(t.Context(), how); err != nil {
		t.Fatal(err)
	}
}

// noLag returns nil when every partition's lag is known to be 0.
func noLag(status *service.Status) error {
	for _, p := range status.Partitions {
		if p.Lag != 0 || p.End < 0 {
			return fmt.Errorf("partition %d: lag %d, end %d", p.Partition, p.Lag, p.End)
		}
	}
	return nil
}
