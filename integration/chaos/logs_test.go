//go:build chaos && linux

package chaos_test

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/integration/kafkatest"
	"streamer/integration/ledger"
)

// Scenarios about the input's log, whose records are not all to be delivered.

// deleted excuses records that were deleted before they were read.
func deleted(r *rig, l *ledger.Ledger) {
	excuse(l, func(partition int32, record ledger.Stored) bool { return record.Offset < r.deletedTo[partition] })
}

// excuse takes records that are gone from the log, and were not delivered before, out of what had to be delivered.
func excuse(l *ledger.Ledger, gone func(partition int32, record ledger.Stored) bool) {
	delivered := map[ledger.ID]bool{}
	for _, lane := range l.Delivered {
		for _, id := range lane {
			delivered[id] = true
		}
	}
	for partition, records := range l.Produced {
		l.Produced[partition] = slices.DeleteFunc(records, func(record ledger.Stored) bool {
			return !delivered[record.ID] && gone(partition, record)
		})
	}
}

// recreated deletes the input topic and creates it again. The group's commits go with it, so nothing may be left unread,
// and the processes have to stop: the topic is another one.
func recreated(r *rig) {
	for n := range r.plan.times {
		if n > 0 { // samples count from an empty output topic
			r.output = r.broker.Topic(r.t, "out", partitions, nil)
			r.config["sink.kafka.topic"] = r.output
		}
		r.begin()
		r.hold(between(r, time.Second, 3*time.Second))
		r.stopLoad()
		if !r.await(liveness, "the group to catch up", r.caughtUp) {
			return
		}
		r.account()
		for _, p := range r.replicas {
			r.watch.remove(p.Service) // whichever ends first
		}
		if _, err := r.admin.DeleteTopic(r.t.Context(), r.Topic); err != nil {
			r.t.Fatal(err)
		}
		topic := r.Topic
		r.broker.UntilGone(r.t, topic)
		r.broker.CreateTopic(r.t, topic, partitions, nil)
		r.injected++
		for _, p := range r.replicas {
			log := r.fails(p)
			if !strings.Contains(log, topic) || !strings.Contains(log, "created anew") {
				r.faultf(reason, "%s does not say that %s was created again:\n%.2000s", p.name, topic, log)
			}
		}
		r.produceTo(topic)
	}
	r.output = r.broker.Topic(r.t, "out", partitions, nil)
	r.config["sink.kafka.topic"] = r.output
	r.begin()
	r.settle()
	r.account()
}

// compacted kills processes on a topic whose older records go while they read.
func compacted(r *rig) {
	r.broker.Configure(r.t, map[string]string{
		"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.01", "segment.ms": "1000",
		"min.compaction.lag.ms": "0", "max.compaction.lag.ms": "500",
	}, r.Topic)
	r.begin()
	r.storm()
	r.settle()
	r.account()
}

// compactedAway excuses records that were compacted away before they were read.
func compactedAway(r *rig, l *ledger.Ledger) {
	left, err := ledger.ReadInput(r.t.Context(), r.broker.Addrs, r.Run, r.Topic)
	if err != nil {
		r.t.Fatal(err)
	}
	held := map[ledger.ID]bool{}
	written := 0
	for partition, records := range l.Produced {
		written += len(records)
		for _, record := range left.Produced[partition] {
			held[record.ID] = true
		}
	}
	if len(held) == written {
		r.t.Errorf("the topic still holds all %d records: nothing was compacted", written)
	}
	excuse(l, func(_ int32, record ledger.Stored) bool { return !held[record.ID] })
}

// transactions writes in transactions, half of which are aborted, and kills processes meanwhile.
func transactions(r *rig) {
	client := r.broker.Client(r.t, append(ledger.ProducerOpts(), kgo.TransactionalID(kafkatest.Unique("tx")))...)
	r.Use(client)
	aborts := r.rand.Perm(1000) // drawn here: the writer runs beside the schedule
	r.load(func(ctx context.Context) error {
		for n := 0; ctx.Err() == nil; n++ {
			if err := client.BeginTransaction(); err != nil {
				return err
			}
			if err := r.Fill(context.WithoutCancel(ctx), ledger.Each(partitions, 50)...); err != nil {
				return err
			}
			how := kgo.TransactionEndTry(aborts[n%len(aborts)]%2 == 0)
			if err := client.EndTransaction(context.WithoutCancel(ctx), how); err != nil {
				return err
			}
		}
		return nil
	})
	r.sample()
	for _, p := range r.replicas {
		r.start(p)
	}
	r.progressed(1_000)
	r.storm()
	r.settle()
	l, err := ledger.ReadInput(r.t.Context(), r.broker.Addrs, r.Run, r.Topic)
	if err != nil {
		r.t.Fatal(err)
	}
	r.judgeLedger(l)
}
