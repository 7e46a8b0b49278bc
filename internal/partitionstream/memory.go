package partitionstream

// balanceMemory pauses and resumes partitions by the level of the byte budget.
func (a *Assignment) balanceMemory() {
	used := a.budget.Used()
	if used >= a.deps.Levels.High {
		for _, s := range choosePauses(a.deps.Levels, used, a.running()) {
			s.paused = true
			a.paused++
			a.pauseFetch(s)
			a.log.Debug("partition paused: the memory budget is used up",
				"topic", s.owner.Topic, "partition", s.owner.Partition, "in_flight", s.account.Used(), "used", used)
		}
	}
	// Arming asks to be woken at low water; it also sees that the level is there already.
	if a.paused > 0 && a.budget.Arm() {
		a.resumeAll()
	}
}

// running returns what the streams that could be paused have in flight.
func (a *Assignment) running() []load {
	loads := make([]load, 0, len(a.streams))
	for _, s := range a.streams {
		if !s.paused && !s.draining && !s.resetting && !s.finished() {
			loads = append(loads, load{s, s.account.Used()})
		}
	}
	return loads
}

func (a *Assignment) resumeAll() {
	for _, s := range a.streams {
		if s.paused {
			a.resumeFetch(s)
		}
	}
}

func (a *Assignment) pauseFetch(s *stream) {
	a.client.PauseFetchPartitions(map[string][]int32{s.owner.Topic: {s.owner.Partition}})
}

// resumeFetch clears the stream's pause, whatever the reason it was paused for.
func (a *Assignment) resumeFetch(s *stream) {
	if s.paused {
		s.paused = false
		a.paused--
	}
	a.client.ResumeFetchPartitions(map[string][]int32{s.owner.Topic: {s.owner.Partition}})
}
