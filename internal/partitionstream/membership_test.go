package partitionstream

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// kick takes the member out of the group as an operator would, and commits for the empty group as another owner would
// have done until the member is back.
func (w *world) kick(m *member, commit int64) {
	w.t.Helper()
	id, _ := m.client.GroupMetadata()
	leave := kmsg.NewPtrLeaveGroupRequest()
	leave.Group = group
	gone := kmsg.NewLeaveGroupRequestMember()
	gone.MemberID = id
	leave.Members = append(leave.Members, gone)
	if _, err := leave.RequestWith(w.t.Context(), w.client); err != nil {
		w.t.Fatalf("kick: %v", err)
	}
	var offsets kadm.Offsets
	offsets.AddOffset(topic, 0, commit, -1)
	committed, err := w.admin.CommitOffsets(w.t.Context(), group, offsets)
	if err != nil || !committed.Ok() {
		w.t.Fatalf("commit for the empty group: %v %v", err, committed.Error())
	}
}

// kgo lets a classic member that was kicked join again under a new id and keep its partitions without a word. What the
// old member acknowledged must not be committed by the new one: here another owner has gone further meanwhile.
func TestRegression01WhatAnOldMemberAcknowledgedIsNotCommittedByTheNewOne(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		m := w.begun(usual(), 1)
		m.source.committed = func(of map[string][]int32) (map[string]map[int32]int64, error) {
			return startAt(of, w.commit(0).Offset), nil
		}
		w.produce(0, 0, 20)
		w.until("it is in a batch", func() bool { return m.down.inBatch(0) == 20 })
		m.down.deliver()
		w.produce(0, 20, 20)
		w.kick(m, 30)
		m.ack() // asks for a commit of 20, which the broker answers with UNKNOWN_MEMBER_ID: that is how kgo learns of it
		w.until("the member has begun anew", func() bool { return m.owner().Epoch == 2 })
		if c := w.commit(0).Offset; c != 30 {
			t.Fatalf("the commit went from 30 to %d", c)
		}
		look, _ := m.look(0)
		if look.Delivered != 30 {
			t.Fatalf("the partition goes on from %d, want the group's commit, 30", look.Delivered)
		}
		w.until("it goes on behind the other's work", func() bool { return m.down.inBatch(0) == 40 })
		m.flow("and commits that", func() bool { return w.commit(0).Offset == 40 })
		w.pass(10 * time.Second)
		m.stop()
		m.idleAtZero()
	})
}
