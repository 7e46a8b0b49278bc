//go:build chaos && linux

package chaos_test

import (
	"time"

	"streamer/integration/ledger"
	"streamer/integration/service"
)

// scenario is one kind of fault and what it is done to.
type scenario struct {
	name string
	// times is how often it is injected in a full run; a short one has half.
	times    int
	replicas int
	// on is where the scenario plays.
	on stage
	// config returns what differs from the usual configuration. It is called once, before the first process starts.
	config func(r *rig) service.Config
	// inject does the damage and undoes it.
	inject func(r *rig)
	// storm means that the next injection does not wait until all that had been written at the last was committed.
	storm bool
	// clean means that nobody dies and nothing is waited for past its deadline: there must be no duplicates.
	clean bool
	// staticMembers gives each replica an instance_id.
	staticMembers bool
	// play replaces the usual course: load, start, inject, settle.
	play func(r *rig)
	// patience replaces the usual one.
	patience time.Duration
	// excuse takes records that the fault itself destroyed before they were read out of what had to be delivered.
	excuse func(r *rig, l *ledger.Ledger)
	// after checks what else must hold at the end.
	after func(r *rig)
}

// stage is the broker of a scenario.
type stage int

const (
	shared    stage = iota // the one that scenarios share
	own                    // a broker of its own, to be stopped and killed
	imitation              // an embedded cluster of three nodes that answers what it is told to
)

func upTo(r *rig, most time.Duration) time.Duration { return time.Duration(r.rand.Int64N(int64(most))) }

func between(r *rig, least, most time.Duration) time.Duration { return least + upTo(r, most-least) }

// scenarios lists all of them, those that take longest first.
func scenarios() []scenario {
	return []scenario{
		{name: "mixed", times: 14, replicas: 3, on: own, config: mixedConfig, inject: mixed, after: poisonsAreLetters},
		{name: "broker stopped", times: 3, replicas: 2, on: own, inject: brokerStopped},
		{name: "broker killed", times: 4, replicas: 2, on: own, inject: brokerKilled},

		{name: "kill -9", times: 20, replicas: 3, config: shortSessions, inject: killed, storm: true},
		{name: "kill -9, static members", times: 30, replicas: 3, config: protocol("classic"), staticMembers: true, inject: killed, storm: true},
		{name: "SIGTERM", times: 16, replicas: 3, config: patient, inject: terminated, storm: true, clean: true},
		{name: "SIGSTOP past the session", times: 3, replicas: 2, inject: frozen},
		{name: "members come and go, cooperative", times: 24, replicas: 4, config: protocol("classic"), inject: churn, storm: true},
		{name: "members come and go, KIP-848", times: 24, replicas: 4, config: protocol("consumer"), inject: churn, storm: true},
		{name: "members come and go, static", times: 12, replicas: 3, staticMembers: true, inject: churn, storm: true},
		{name: "hand-over with a slow sink", times: 8, replicas: 2, config: slowSink, inject: handOver, clean: true},
		{name: "member kicked, commits pending", times: 3, replicas: 2, config: classicBehindProxy, inject: kicked},
		{name: "all members kicked", times: 12, replicas: 2, config: often, inject: allKicked},
		{name: "partitions added", times: 3, replicas: 2, inject: partitionsAdded},

		{name: "source cut off", times: 3, replicas: 2, config: sourceBehindProxy, inject: sourceCut},
		{name: "source half-open", times: 2, replicas: 2, config: sourceBehindProxy, inject: sourceHung},
		{name: "source delayed", times: 2, replicas: 2, config: sourceBehindProxy, inject: sourceDelayed},
		{name: "source at 1 B/s", times: 2, replicas: 2, config: sourceBehindProxy, inject: sourceTrickles},
		{name: "answers torn", times: 4, replicas: 2, config: sourceBehindProxy, inject: answersTorn},

		{name: "sink topic unavailable", times: 3, replicas: 2, inject: sinkUnavailable},
		{name: "sink slow", times: 2, replicas: 2, config: sinkBehindProxy, inject: sinkDelayed},
		{name: "sink hung", times: 2, replicas: 2, config: sinkBehindProxy, inject: sinkHung},
		{name: "sink cut off", times: 3, replicas: 2, config: sinkBehindProxy, inject: sinkCut},
		{name: "sink refuses", times: 8, replicas: 2, on: imitation, inject: sinkRefuses},
		{name: "disk full", times: 3, replicas: 1, config: smallDisk, inject: diskFull},

		{name: "commits refused", times: 16, replicas: 2, on: imitation, inject: commitsRefused},
		{name: "coordinator moves", times: 10, replicas: 2, on: imitation, inject: coordinatorMoves},

		{name: "records deleted, earliest", times: 3, replicas: 2, config: outOfRange("earliest"), inject: recordsDeleted, excuse: deleted},
		{name: "records deleted, latest", times: 3, replicas: 2, config: outOfRange("latest"), inject: recordsDeleted, excuse: deleted},
		{name: "records deleted, fail", times: 2, replicas: 2, config: outOfRange("fail"), inject: deletedAndSet, excuse: deleted},
		{name: "topic created again", times: 2, replicas: 2, play: recreated},
		{name: "compaction", times: 8, replicas: 2, play: compacted, inject: killed, excuse: compactedAway},
		{name: "aborted transactions", times: 8, replicas: 2, play: transactions, inject: killed},

		{name: "poison, skip", times: 8, replicas: 2, config: onError("skip"), inject: poisoned},
		{name: "poison, dead letter", times: 8, replicas: 2, config: onError("dead_letter"), inject: poisoned, after: poisonsAreLetters},
		{name: "poison, fail", times: 3, replicas: 2, config: onError("fail"), inject: poisonedAndSkipped},
		{name: "dead-letter topic unavailable", times: 3, replicas: 2, config: onError("dead_letter"), inject: lettersUnavailable, after: poisonsAreLetters},
	}
}
