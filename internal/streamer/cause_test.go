package streamer

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"streamer/internal/admin"
	"streamer/internal/partitionstream"
)

// Each row is one condition as the parts report it, and what an operator reads.
func TestACauseOutsideComesBeforeWhatItLeadsTo(t *testing.T) {
	t.Parallel()
	began := time.Unix(1_000, 0)
	earlier := time.Unix(900, 0)
	sick := &cause{admin.StateRetrying, "attempt 3: sick", earlier}
	silent := &cause{admin.StateSinkBlocked, "the sink has not answered for 9s", earlier}
	lost := &cause{admin.StateBrokerLost, "no route", earlier}
	registry := &cause{state: admin.StateRetrying, reason: "registry"}
	idle := partitionstream.PartitionStatus{State: partitionstream.Idle, Since: began}
	working := partitionstream.PartitionStatus{State: partitionstream.Processing, Since: began, InFlight: 1}
	paused := partitionstream.PartitionStatus{State: partitionstream.PausedMemory, Since: began, InFlight: 1, Paused: true}
	draining := partitionstream.PartitionStatus{State: partitionstream.Draining, Since: began}
	resetting := partitionstream.PartitionStatus{State: partitionstream.Resetting, Since: began, Position: 7}
	uncommitted := partitionstream.PartitionStatus{
		State: partitionstream.Idle, Since: began, Delivered: 5, CommitErr: kerr.NotCoordinator, CommitErrSince: earlier,
	}
	committed := uncommitted
	committed.Committed = 5
	for name, c := range map[string]struct {
		around  outside
		p       partitionstream.PartitionStatus
		batched bool
		state   string
		reason  string
		since   time.Time
	}{
		"idle":                      {outside{}, idle, false, "idle", "", began},
		"idle beside a sick sink":   {outside{sink: sick}, idle, false, "idle", "", began},
		"working":                   {outside{}, working, true, "processing", "", began},
		"working, sick sink":        {outside{sink: sick}, working, true, "retrying", "attempt 3: sick", earlier},
		"working, silent sink":      {outside{sink: silent}, working, true, "sink-blocked", "not answered", earlier},
		"with a worker":             {outside{sink: silent}, working, false, "processing", "", began},
		"with a slow worker":        {outside{stalled: time.Minute}, working, false, "processing", "a worker has had a block for 1m0s", began},
		"in a batch, slow worker":   {outside{stalled: time.Minute}, working, true, "processing", "", began},
		"registry away":             {outside{schemas: registry}, working, false, "retrying", "registry", time.Time{}},
		"paused, silent sink":       {outside{sink: silent}, paused, true, "sink-blocked", "not answered", earlier},
		"paused by others' batches": {outside{sink: silent}, paused, false, "paused-memory", "used up: the sink has not", began},
		"paused":                    {outside{}, paused, true, "paused-memory", "used up", began},
		"brokers away":              {outside{lost: lost, sink: sick}, working, true, "broker-lost", "no route", earlier},
		"idle, brokers away":        {outside{lost: lost}, idle, false, "broker-lost", "no route", earlier},
		"draining":                  {outside{lost: lost}, draining, false, "draining", "", began},
		"draining, sick sink":       {outside{sink: sick}, draining, true, "draining", "in a batch: attempt 3: sick", began},
		"resetting":                 {outside{}, resetting, false, "resetting", "offset 7", began},
		"commit refused":            {outside{}, uncommitted, false, "retrying", "commit: NOT_COORDINATOR", earlier},
		"commit refused before":     {outside{}, committed, false, "idle", "", began},
	} {
		got := c.around.of(&c.p, c.batched)
		if got.state != c.state || (got.reason == "") != (c.reason == "") || !strings.Contains(got.reason, c.reason) ||
			!got.since.Equal(c.since) {
			t.Errorf("%s: got %+v, want %s since %v: %s", name, got, c.state, c.since, c.reason)
		}
	}
}

// Each fault outside shows at the partition that waits for it with its age, and goes again; none of them turns liveness red.
func TestEachPartitionNamesWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	const long = 10 * time.Minute // past admin.stall_timeout
	for state, fault := range map[string]func(m *member){
		admin.StateSinkBlocked: func(m *member) { m.sink.hung.Store(true) },
		admin.StateRetrying:    func(m *member) { m.sink.sick.Store(1 << 40) },
		admin.StateBrokerLost:  func(m *member) { m.link.cut(true) },
		"retrying a commit": func(m *member) {
			m.w.cluster.Fault(kfake.Fault{
				Keys: []kmsg.Key{kmsg.OffsetCommit}, Topic: topic, Err: kerr.CoordinatorLoadInProgress, Count: -1, When: m.refuses,
			})
		},
	} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			want, _, _ := strings.Cut(state, " ")
			inSimulatedWorld(t, 1, func(t *testing.T, w *world) {
				w.join(prompt())
				m := w.members[0]
				w.until("it is idle", func() bool { return m.owns() == 1 && m.Status().Partitions[0].State == admin.StateIdle })
				m.hung.Store(true) // what it is to wait for begins before it has something
				w.produce(0, 5)
				w.until("a worker has it", func() bool { busy, _ := m.pool.Load(); return busy > 0 })
				fault(m)
				began := time.Now()
				m.hung.Store(false)
				w.until("the partition says so", func() bool { p := m.Status().Partitions; return len(p) == 1 && p[0].State == want })
				if p := m.Status().Partitions[0]; p.Reason == "" || p.StateSince.Before(began) || time.Since(p.StateSince) > 15*time.Second {
					t.Errorf("reason %q since %v; the fault began at %v", p.Reason, p.StateSince, began)
				}
				if s := m.Status(); s.State != want || s.StateSince.Before(began) {
					t.Errorf("the service says %s since %v", s.State, s.StateSince)
				}
				w.pass(long)
				if err := m.live(); err != nil {
					t.Errorf("not alive: %v", err)
				}
				m.heal()
				m.mended.Store(true)
				w.until("all is committed", w.allCommitted)
				w.until("it is idle again", func() bool {
					return m.owns() == 1 && m.Status().Partitions[0].State == admin.StateIdle && m.Status().State == admin.StateIdle
				})
			})
		})
	}
}

// refuses is a fault's condition: until the member is mended.
func (m *member) refuses(kmsg.Request) bool { return !m.mended.Load() }

// A worker that hangs is a bug of ours, which a restart cures.
func TestAHungWorkerTurnsLivenessRed(t *testing.T) {
	t.Parallel()
	inSimulatedWorld(t, 1, func(t *testing.T, w *world) {
		w.join(prompt())
		m := w.members[0]
		m.hung.Store(true)
		w.produce(0, 5)
		limit := time.Duration(m.cfg.Admin.StallTimeout)
		w.pass(limit / 2)
		if err := m.live(); err != nil {
			t.Fatalf("red after half of the time: %v", err)
		}
		showsLive(t, m, 1)
		w.pass(limit)
		showsLive(t, m, 0)
		stall, ok := errors.AsType[*admin.StallError](m.live())
		if !ok || stall.Stage != "pool" {
			t.Fatalf("live: %v, want the pool's stall", stall)
		}
		if p := m.Status().Partitions[0]; p.State != admin.StateProcessing || !strings.Contains(p.Reason, "a worker has had a block for") {
			t.Errorf("the partition says %s: %s", p.State, p.Reason)
		}
		m.heal()
		synctest.Wait()
		w.until("it is alive again", func() bool { return m.live() == nil })
	})
}

// showsLive holds /metrics to what /livez says: alerts see a stall only there.
func showsLive(t *testing.T, m *member, want int) {
	t.Helper()
	text := fmt.Sprintf("# HELP streamer_live 1 while /livez is green.\n# TYPE streamer_live gauge\nstreamer_live %d\n", want)
	if err := testutil.CollectAndCompare(newStates(m.Service), strings.NewReader(text), "streamer_live"); err != nil {
		t.Error(err)
	}
}

// A red readiness says for how long.
func TestReadinessTellsItsAge(t *testing.T) {
	t.Parallel()
	inSimulatedWorld(t, 1, func(t *testing.T, w *world) {
		w.join(prompt())
		m := w.members[0]
		w.until("it is ready", func() bool { return m.ready() == nil })
		m.link.cut(true)
		w.until("it is not", func() bool { return m.ready() != nil })
		before, _ := errors.AsType[*admin.NotReadyError](m.ready())
		w.pass(time.Minute)
		after, _ := errors.AsType[*admin.NotReadyError](m.ready())
		if grown := after.For - before.For; grown < time.Minute || grown > time.Minute+2*look || before.For > 2*look {
			t.Errorf("red for %v, and a minute later for %v", before.For, after.For)
		}
		m.link.cut(false)
		w.until("it is ready again", func() bool { return m.ready() == nil })
		m.board.draining()
		if err := m.ready(); !errors.Is(err, errDraining) {
			t.Errorf("ready: %v, want draining", err)
		}
	})
}

// A revoke that drains is work, whatever else is idle.
func TestADrainingPartitionIsNotIdle(t *testing.T) {
	t.Parallel()
	var around outside
	looks := make([]partitionstream.PartitionStatus, 2)
	now := around.overall(looks, []admin.Partition{{State: admin.StateIdle}, {State: admin.StateDraining, Reason: "why"}})
	if now.state != admin.StateDraining || now.reason != "why" {
		t.Errorf("the service says %+v", now)
	}
}
