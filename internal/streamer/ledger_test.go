package streamer

import (
	"fmt"
	"strconv"
	"sync"
)

// debt is what has to become of an offset.
type debt uint8

const (
	owesNothing debt = iota // a marker, an aborted record, or one that the policy skips: nobody may deliver it
	owesOutput              // the sink gets it
	owesLetter              // the dead letters get it
)

// fault is what is wrong with a record.
type fault uint8

const (
	sound   fault = iota
	poison        // no worker can process it
	refused       // the sink will never take it
)

// entry is one offset of the log.
type entry struct {
	debt    debt
	fault   fault
	faulty  bool // fault was set once
	excused bool // deleted before it was delivered: it may be delivered, or not
	done    bool
}

func (e *entry) settled() bool { return e.debt == owesNothing || e.excused || e.done }

// ledger knows what must become of every offset, and what sinks have made durable, of all members.
type ledger struct {
	mu      sync.Mutex
	logs    [][]entry
	next    [][3]int64 // by debt: the first that is not settled; of nothing: the first of all
	records int
	problem error
}

// grow adds partitions.
func (l *ledger) grow(to int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.logs) < to {
		l.logs = append(l.logs, nil)
		l.next = append(l.next, [3]int64{})
	}
}

// note appends offsets to a partition's log, before the broker has them: once it has, they may be delivered.
func (l *ledger) note(p int32, entries ...entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.logs[p] = append(l.logs[p], entries...)
}

func (l *ledger) end(p int32) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return int64(len(l.logs[p]))
}

// fault is what is wrong with a record now.
func (l *ledger) fault(p int32, offset int64) fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.logs[p][offset].fault
}

// wasFaulty reports whether the record may have stopped a member.
func (l *ledger) wasFaulty(p int32, offset int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.logs[p][offset].faulty
}

// mend makes a record sound, as a producer or a pipeline that was put right.
func (l *ledger) mend(p int32, offset int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.logs[p][offset].fault = sound
}

// excuse says that what lies before an offset has left the log, or is to be passed over.
func (l *ledger) excuse(p int32, until int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.logs[p][:until] {
		l.logs[p][i].excused = true
	}
}

// deliver notes a record that a sink has made durable. One that was delivered before is a duplicate; one that comes
// before an earlier one that is owed likewise is out of order, or that one was left out.
func (l *ledger) deliver(p int32, offset int64, value []byte, as debt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.records++
	e := &l.logs[p][offset]
	switch {
	case string(value) != strconv.FormatInt(offset, 10):
		l.problem = fmt.Errorf("partition %d: value %s at offset %d", p, value, offset)
	case e.debt != as:
		l.problem = fmt.Errorf("partition %d: offset %d was delivered as %d, it is owed as %d (%+v)", p, offset, as, e.debt, *e)
	case offset > l.first(p, as):
		l.problem = fmt.Errorf("partition %d: offset %d delivered before %d", p, offset, l.first(p, as))
	}
	e.done = true
}

// first is the first offset that is owed as d and not settled. The caller holds the lock.
func (l *ledger) first(p int32, d debt) int64 {
	at := &l.next[p][d]
	for log := l.logs[p]; *at < int64(len(log)) && (log[*at].settled() || d != owesNothing && log[*at].debt != d); *at++ {
	}
	return *at
}

// reached is where the settled beginning of a partition ends: what may be committed.
func (l *ledger) reached(p int32) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.first(p, owesNothing)
}

// blame notes what is wrong, unless something was before.
func (l *ledger) blame(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.problem == nil {
		l.problem = err
	}
}

func (l *ledger) verdict() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.problem
}
