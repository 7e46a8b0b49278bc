package streamer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"streamer/internal/kafka"
	"streamer/internal/sink"
)

// audit looks at each commit before the broker does: it must be of nothing that is still owed.
func (w *world) audit(r kmsg.Request) (kmsg.Response, error, bool) {
	w.cluster.KeepControl()
	for _, t := range r.(*kmsg.OffsetCommitRequest).Topics {
		for _, rp := range t.Partitions {
			if reached := w.ledger.reached(rp.Partition); rp.Offset > reached {
				w.ledger.blame(fmt.Errorf("partition %d: a commit of %d, delivered only to %d", rp.Partition, rp.Offset, reached))
			}
		}
	}
	return nil, nil, false
}

// check looks whether all is well: no commit ran ahead of the sinks, none went back, and records came in order.
func (w *world) check() {
	w.t.Helper()
	if err := w.ledger.verdict(); err != nil {
		w.t.Fatal(err)
	}
	info := w.cluster.GroupInfo(group)
	if info == nil {
		return
	}
	for p, c := range info.Commits[topic] {
		if c.Offset < w.high[p] {
			w.t.Fatalf("partition %d: the commit went back from %d to %d", p, w.high[p], c.Offset)
		}
		w.high[p] = c.Offset
	}
	w.expire(info)
}

// expire does what the embedded broker forgets with the classic protocol: it ends the sessions of members that died while
// they joined, and rebalances that all have joined.
func (w *world) expire(info *kfake.GroupInfo) {
	if w.protocol != kafka.ProtocolClassic {
		return
	}
	if info.State != "PreparingRebalance" {
		w.settled = time.Now()
	}
	stuck := time.Since(w.settled) > 2*time.Minute // twice the rebalance timeout: it has miscounted who is there
	silent := make(map[string]time.Time)
	for _, in := range info.Members {
		if stuck {
			w.kick(in.MemberID)
			continue
		}
		if slices.ContainsFunc(w.members, func(m *member) bool { id, _ := m.client.GroupMetadata(); return id == in.MemberID }) {
			continue
		}
		since, known := w.silent[in.MemberID]
		if !known {
			since = time.Now()
		}
		if silent[in.MemberID] = since; time.Since(since) > session+look {
			w.kick(in.MemberID)
		}
	}
	w.silent = silent
}

// kick has the broker remove a member, as its session timeout would.
func (w *world) kick(id string) {
	w.t.Helper()
	var err error
	if w.protocol == kafka.ProtocolClassic {
		leaver := kmsg.NewLeaveGroupRequestMember()
		leaver.MemberID = id
		req := kmsg.NewPtrLeaveGroupRequest()
		req.Group, req.Members = group, append(req.Members, leaver)
		_, err = req.RequestWith(w.t.Context(), w.client)
	} else {
		req := kmsg.NewPtrConsumerGroupHeartbeatRequest()
		req.Group, req.MemberID, req.MemberEpoch = group, id, -1
		_, err = req.RequestWith(w.t.Context(), w.client)
	}
	if err != nil {
		w.t.Fatalf("kick: %v", err)
	}
}

// reap takes members out that had to stop, as the service stops then, and does what their errors say helps.
func (w *world) reap() {
	w.t.Helper()
	for _, m := range slices.Clone(w.members) {
		if m.failed.err() != nil {
			m.heal()
			m.stop()
		}
	}
}

// remedy does what an operator would about the error that a member stopped with. One that nothing in the world explains
// ends the test.
func (w *world) remedy(cfg *kafka.SourceConfig, err error) {
	w.t.Helper()
	w.forgetRefusals() // a member that stops tells the first of its reasons
	if failed, ok := errors.AsType[*RecordError](err); ok && w.ledger.wasFaulty(failed.Owner.Partition, failed.Failure.Offset) {
		w.ledger.mend(failed.Owner.Partition, failed.Failure.Offset)
		return
	}
	if rejected, ok := errors.AsType[*sink.RejectedError](err); ok {
		for _, r := range rejected.Records {
			w.ledger.mend(r.Origin().Owner.Partition, r.Offset)
		}
		return
	}
	if strings.Contains(err.Error(), "on_out_of_range") && cfg.OnOutOfRange == kafka.OutOfRangeFail {
		w.outOfRange = kafka.OutOfRangeEarliest
		return
	}
	if w.static && (errors.Is(err, kerr.UnreleasedInstanceID) || errors.Is(err, kerr.FencedInstanceID)) {
		return // the session of the one that crashed has to end first
	}
	if !slices.ContainsFunc(w.refused, func(code error) bool { return errors.Is(err, code) }) {
		w.t.Fatalf("a member failed: %v", err)
	}
}

// forgetRefusals lets go of the refusals that have been given: a member has stopped, or has died before it could.
func (w *world) forgetRefusals() {
	w.refusals = slices.DeleteFunc(w.refusals, func(r refusal) bool { return r.fault.Hits() > 0 })
}
