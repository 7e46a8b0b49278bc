package partitionstream

import (
	"errors"
	"strconv"
	"time"

	"streamer/internal/record"
)

// State is what a partition does or waits for.
type State string

// The states of a partition.
const (
	Idle         State = "idle"          // everything in the log is delivered
	Fetching     State = "fetching"      // there is more in the log, none of it is here yet
	Processing   State = "processing"    // records are between poll and acknowledgement
	PausedMemory State = "paused-memory" // not fetched until bytes are released
	Draining     State = "draining"      // revoked or stopping
	Resetting    State = "resetting"     // its position fell out of the log's range
	Unreadable   State = "unreadable"    // what is at its position could not be read; it is looked at apart
	Finished     State = "finished"      // a bounded run has all it wants
)

// streamStats is what a stream counts and shows.
type streamStats struct {
	records, bytes  int64 // since the assignment
	reported        struct{ records, bytes int64 }
	logEnd          int64 // from ListOffsets at the configured isolation; -1 until known
	state           State
	since           time.Time
	lastAckedRecord time.Time
}

// PartitionStatus is one look at a stream. Offsets are -1 while unknown.
type PartitionStatus struct {
	Owner                                    record.Owner
	State                                    State
	Since                                    time.Time
	Records, Bytes                           int64
	Position, Delivered, Committed, End, Lag int64
	LagTime                                  time.Duration
	InFlight                                 int64
	Paused                                   bool
	// CommitErr is why what is delivered is not committed, and CommitErrSince since when; nil if nothing is wrong.
	CommitErr      error
	CommitErrSince time.Time
	// Doubt is why it is Unreadable.
	Doubt error
}

// Snapshot returns a look at every stream, in (topic, partition) order. It waits for the loop.
func (a *Assignment) Snapshot() ([]PartitionStatus, error) {
	var looks []PartitionStatus
	err := a.call(func(done func()) {
		now := time.Now()
		for _, s := range a.all() {
			look := s.look(now)
			a.lookAtCommit(&look, now)
			looks = append(looks, look)
		}
		done()
	})
	return looks, err
}

// A commit that is not answered for this long is shown.
const slowCommit = 5 * time.Second

var errUnanswered = errors.New("not answered yet; the group may be changing")

// lookAtCommit adds that the commit in flight, which may be held back while the group changes, takes long.
func (a *Assignment) lookAtCommit(look *PartitionStatus, now time.Time) {
	waits := look.CommitErr == nil && look.Committed != look.Delivered && a.commits.inFlight
	if began := a.commits.began; waits && now.Sub(began) > slowCommit {
		look.CommitErr, look.CommitErrSince = errUnanswered, began
	}
}

func (s *stream) look(now time.Time) PartitionStatus {
	s.enter(now)
	lag, late := s.lag(now)
	return PartitionStatus{
		Owner: s.owner, State: s.stats.state, Since: s.stats.since,
		Records: s.stats.records, Bytes: s.stats.bytes,
		Position: s.next, Delivered: s.acked, Committed: s.committed, End: s.stats.logEnd,
		Lag: lag, LagTime: late,
		InFlight: s.account.Used(), Paused: s.paused, Doubt: s.doubt,
		CommitErr: s.commitErr, CommitErrSince: s.commitErrSince,
	}
}

// lag is the distance from the commit to the log's end and the age of the oldest record in it; -1 while the end is
// unknown.
func (s *stream) lag(now time.Time) (int64, time.Duration) {
	if s.stats.logEnd < 0 {
		return -1, 0
	}
	lag := max(0, s.stats.logEnd-s.committed)
	if lag == 0 {
		return 0, 0
	}
	oldest := s.stats.lastAckedRecord // nothing of the lag is here: its oldest record is at least not older than this
	if len(s.unacked) > 0 {
		oldest = s.unacked[0].oldest
	}
	if oldest.IsZero() {
		return lag, 0
	}
	return lag, max(0, now.Sub(oldest))
}

// enter works out the state, and since when.
func (s *stream) enter(now time.Time) {
	state := s.currentState()
	if state != s.stats.state {
		s.stats.state, s.stats.since = state, now
	}
}

func (s *stream) currentState() State {
	switch {
	case s.draining:
		return Draining
	case s.resetting && s.doubt != nil:
		return Unreadable
	case s.resetting:
		return Resetting
	case s.paused:
		return PausedMemory
	case s.account.Used() > 0:
		return Processing
	case s.finished():
		return Finished
	case s.stats.logEnd > s.next:
		return Fetching
	}
	return Idle
}

// Ends takes the log's ends, for lag. Any goroutine may call it.
func (a *Assignment) Ends(ends map[string]map[int32]int64) {
	a.mail.post(func() {
		for p, s := range a.streams {
			if end, ok := ends[p.topic][p.id]; ok {
				s.stats.logEnd = end
			}
		}
		a.updateGauges(time.Now())
	})
}

// updateGauges brings the metrics up to date. Counters are bumped here and not per record.
func (a *Assignment) updateGauges(now time.Time) {
	m := a.deps.Metrics
	m.used.Set(float64(a.budget.Used()))
	for _, s := range a.streams {
		look := s.look(now)
		labels := []string{s.owner.Topic, strconv.Itoa(int(s.owner.Partition))}
		m.records.WithLabelValues(labels...).Add(float64(look.Records - s.stats.reported.records))
		m.bytes.WithLabelValues(labels...).Add(float64(look.Bytes - s.stats.reported.bytes))
		s.stats.reported.records, s.stats.reported.bytes = look.Records, look.Bytes
		if look.Lag >= 0 {
			m.lag.WithLabelValues(labels...).Set(float64(look.Lag))
			m.lagSeconds.WithLabelValues(labels...).Set(look.LagTime.Seconds())
		}
		m.committed.WithLabelValues(labels...).Set(float64(look.Committed))
		m.delivered.WithLabelValues(labels...).Set(float64(look.Delivered))
		m.inFlow.WithLabelValues(labels...).Set(float64(look.InFlight))
		m.paused.WithLabelValues(labels...).Set(boolToFloat(look.Paused))
	}
}

func boolToFloat(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
