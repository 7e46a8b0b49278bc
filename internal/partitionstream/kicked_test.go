package partitionstream

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// kick has the broker remove a classic member, as a session timeout does.
func (m *member) kick() {
	m.w.t.Helper()
	id, _ := m.client.GroupMetadata()
	member := kmsg.NewLeaveGroupRequestMember()
	member.MemberID = id
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group, req.Members = group, append(req.Members, member)
	resp, err := req.RequestWith(m.w.t.Context(), m.w.client)
	if err != nil || resp.ErrorCode != 0 {
		m.w.t.Fatalf("kick: %v, code %d", err, resp.ErrorCode)
	}
}

const shared = 6 // partitions

// team is several members and what the group's commits were seen at.
type team struct {
	w       *world
	members []*member
	high    [shared]int64
}

// flow delivers and acknowledges until every commit has reached an offset; none may ever go back.
func (g *team) flow(what string, to int64) {
	g.w.t.Helper()
	g.w.until(what, func() bool {
		done := true
		for _, m := range g.members {
			m.down.deliver()
			m.ack()
		}
		for p := range int32(shared) {
			c := g.w.commit(p).Offset
			if c < g.high[p] {
				g.w.t.Fatalf("commit of %d went back from %d to %d", p, g.high[p], c)
			}
			g.high[p] = c
			done = done && c == to
		}
		return done
	})
}

func (g *team) produce(from, count int) {
	g.w.t.Helper()
	for p := range int32(shared) {
		g.w.produce(p, from, count)
	}
}

// kgo notices by the commit that its member is unknown and joins again under a new id, without telling that its
// partitions were lost. The ones it gets again must begin anew, and those that moved must not be committed over.
func TestAKickedMemberThatNoticesByItsCommitBeginsAnew(t *testing.T) {
	t.Parallel()
	quick, slow := usual(), usual()
	quick.opts = []kgo.Opt{kgo.HeartbeatInterval(50 * time.Millisecond)}
	slow.opts = []kgo.Opt{kgo.HeartbeatInterval(500 * time.Millisecond)}
	for name, c := range map[string]struct{ shared, joined bool }{
		"alone":               {false, false},
		"beside another":      {true, false},
		"while another joins": {true, true}, // in one rebalance some partitions are kept and some revoked
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inRealTime(t, shared, func(_ *testing.T, w *world) {
				one := w.begun(quick, shared)
				g := &team{w: w, members: []*member{one}}
				if c.shared {
					two := w.join(slow) // holds the rebalance open
					g.members = append(g.members, two)
					w.until("they share", func() bool { return one.owns() == shared/2 && two.owns() == shared/2 })
				}
				g.flow("the starts are committed", 0)
				g.produce(0, 20)
				w.until("all is in batches", func() bool {
					n := int64(0)
					for p := range int32(shared) {
						for _, m := range g.members {
							n += m.down.inBatch(p)
						}
					}
					return n == shared*20
				})
				one.down.deliver()
				one.kick()
				if c.joined {
					g.members = append(g.members, w.join(quick))
				}
				one.ack() // the commit finds out
				g.flow("all is committed", 20)
				g.produce(20, 20)
				g.flow("all goes on", 40)
				for _, m := range g.members {
					m.mustNotFail()
					m.stop()
					m.idleAtZero()
				}
			})
		})
	}
}
