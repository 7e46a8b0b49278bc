package streamer

import (
	"slices"
	"time"

	"streamer/internal/admin"
)

// stuckAfter is when a partition that does not move must name its cause: a look-up of the brokers fails ten seconds after
// they have gone, and a sink is blocked after five.
const stuckAfter = 11 * time.Second

// progress is how far a partition is.
type progress struct {
	position, delivered, committed int64
}

// sighting is how far a partition was when it last moved.
type sighting struct {
	progress

	at time.Time
}

// observe looks at a member's health: only a worker that hangs may turn liveness red, a partition that has work and does not
// move names what it waits for, and one that has none is idle.
func (m *member) observe() {
	t := m.w.t
	t.Helper()
	err, limit := m.live(), time.Duration(m.cfg.Admin.StallTimeout)
	if err != nil && time.Since(m.hungSince) < limit {
		t.Fatalf("a member is not alive: %v", err)
	}
	if err == nil && !m.hung.Load() {
		m.hungSince = time.Now()
	}
	status := m.Status()
	moved := make(map[int32]sighting)
	for i := range status.Partitions {
		p := &status.Partitions[i]
		now := sighting{progress{position: p.Position, delivered: p.Delivered, committed: p.Committed}, time.Now()}
		if last, known := m.moved[p.Partition]; known && last.progress == now.progress {
			now.at = last.at
		}
		moved[p.Partition] = now
		if time.Since(now.at) < stuckAfter || time.Since(m.w.changed) < stuckAfter {
			continue
		}
		if want := m.causes(p); !slices.Contains(want, p.State) {
			t.Fatalf("partition %d has not moved for %v and says %s (%s); want one of %v: %+v",
				p.Partition, time.Since(now.at), p.State, p.Reason, want, *p)
		}
	}
	m.moved = moved
}

// causes are the states that the faults of the moment may put a partition in that does not move.
func (m *member) causes(p *admin.Partition) []string {
	if m.link.isDown() {
		return []string{admin.StateBrokerLost, admin.StateDraining}
	}
	if p.Committed == m.w.ledger.end(p.Partition) {
		if p.Paused { // others use the memory
			return []string{admin.StatePausedMemory}
		}
		return []string{admin.StateIdle}
	}
	causes := []string{admin.StateDraining, admin.StateProcessing, admin.StatePausedMemory} // workers are slow
	for _, s := range []*unreliableSink{m.sink, m.letters} {
		if s.hung.Load() {
			causes = append(causes, admin.StateSinkBlocked, admin.StateRetrying) // perhaps in a second attempt
		}
		if s.sick.Load() > 0 {
			causes = append(causes, admin.StateRetrying)
		}
	}
	if p.Delivered != p.Committed { // commits are refused, or wait for a rebalance
		causes = append(causes, admin.StateRetrying)
	}
	return causes
}
