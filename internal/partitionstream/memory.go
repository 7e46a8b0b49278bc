package partitionstream

import "streamer/internal/record"

// balanceMemory pauses and resumes partitions by the level of the byte budget.
func (a *Assignment) balanceMemory() {
	used := a.budget.Used()
	if used >= a.deps.Levels.High {
		paused, running := a.loads()
		a.pauseForMemory(choosePauses(a.deps.Levels, used, paused, running), used)
	}
	if a.paused == 0 {
		return
	}
	// Arming asks to be woken at low water; it also sees that the level is there already.
	low := a.budget.Arm()
	if low || used < a.deps.Levels.High {
		a.resumeFromMemory(low)
	}
}

// loads returns how many bytes the paused streams have in flight, and what each of those has that could be paused.
func (a *Assignment) loads() (paused int64, running []load) {
	for _, s := range a.streams {
		switch {
		case s.paused:
			paused += s.account.Used()
		case !s.draining && !s.resetting && !s.finished():
			running = append(running, load{s, s.account.Used()})
		}
	}
	return paused, running
}

// pauseForMemory stops fetching streams. Their open blocks go on their way: nothing more is added to them, and memory
// that waits for a long interval to end would hold up everybody.
func (a *Assignment) pauseForMemory(streams []*stream, used int64) {
	if len(streams) > 0 {
		a.hurry.Store(true) // before their last blocks can reach the batch that is to hurry
	}
	for _, s := range streams {
		s.paused = true
		if s.open != nil {
			a.put(s.cut(record.ByBytes))
		}
		a.log.Debug("partition paused: the memory budget is used up",
			"topic", s.owner.Topic, "partition", s.owner.Partition, "in_flight", s.account.Used(), "used", used)
	}
	a.paused += len(streams)
	a.pauseFetch(streams...)
}

// resumeFromMemory resumes all paused streams at low water. Above it those resume that have nothing in flight any more:
// others may keep the level between the marks for as long as they please.
func (a *Assignment) resumeFromMemory(low bool) {
	var resumed []*stream
	for _, s := range a.streams {
		if s.paused && (low || s.account.Used() == 0) {
			resumed = append(resumed, s)
		}
	}
	a.unpause(resumed)
}

// unpause ends the streams' pauses for memory, and in the client also what an assignment that has ended left paused.
// Those that are finished or out of range stay paused there.
func (a *Assignment) unpause(streams []*stream) {
	wanted := make([]*stream, 0, len(streams))
	for _, s := range streams {
		if s.paused {
			s.paused = false
			a.paused--
		}
		if ended := a.streams[keyOf(s.owner)] != s || s.draining; ended || !s.resetting && !s.finished() {
			wanted = append(wanted, s)
		}
	}
	if len(wanted) > 0 {
		a.client.ResumeFetchPartitions(ids(wanted)) // one call: the client copies the whole set at each
	}
}

func (a *Assignment) pauseFetch(streams ...*stream) {
	if len(streams) > 0 { // or the client answers what is paused
		a.client.PauseFetchPartitions(ids(streams))
	}
}

func ids(streams []*stream) map[string][]int32 {
	partitions := make(map[string][]int32)
	for _, s := range streams {
		partitions[s.owner.Topic] = append(partitions[s.owner.Topic], s.owner.Partition)
	}
	return partitions
}
