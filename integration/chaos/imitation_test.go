//go:build chaos && linux

package chaos_test

import (
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// commitCodes are what a broker may answer to a commit, and whether the service has to end then: no trying again would help.
var commitCodes = []struct {
	code *kerr.Error
	ends bool
}{
	{kerr.CoordinatorLoadInProgress, false},
	{kerr.CoordinatorNotAvailable, false},
	{kerr.NotCoordinator, false},
	{kerr.RequestTimedOut, false},
	{kerr.UnknownTopicOrPartition, false},
	{kerr.UnstableOffsetCommit, false},
	{kerr.RebalanceInProgress, false},
	{kerr.IllegalGeneration, false},
	{kerr.UnknownMemberID, false},
	{kerr.StaleMemberEpoch, false},
	{kerr.UnknownServerError, true},
	{kerr.OffsetMetadataTooLarge, true},
	{kerr.InvalidCommitOffsetSize, true},
	{kerr.GroupAuthorizationFailed, true},
	{kerr.TopicAuthorizationFailed, true},
	{kerr.FencedInstanceID, true},
}

// commitsRefused goes through all codes, those first that pass.
func commitsRefused(r *rig) {
	refused := commitCodes[r.injected%len(commitCodes)]
	count := 1 + r.rand.IntN(3)
	if refused.ends {
		count = 1 // one process gets it, and ends
		for _, p := range r.replicas {
			r.watch.remove(p.Service)
		}
	}
	fault := r.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Topic: r.Topic, Err: refused.code, Count: count})
	defer fault.Remove()
	if !refused.ends {
		r.hold(between(r, 300*time.Millisecond, time.Second))
		return
	}
	if ended := r.failing(); ended != nil {
		r.fails(ended)
		r.start(ended)
	}
	for _, p := range r.replicas {
		r.watch.add(p.Service, p.name)
	}
}

func coordinatorMoves(r *rig) {
	r.cluster.RehashCoordinators()
	if r.rand.IntN(2) == 0 {
		r.cluster.ShufflePartitionLeaders()
	}
	r.hold(upTo(r, time.Second))
}

// sinkRefuses lets brokers refuse what the sink writes, each time for another reason that passes.
func sinkRefuses(r *rig) {
	codes := []*kerr.Error{
		kerr.NotEnoughReplicas, kerr.NotLeaderForPartition, kerr.RequestTimedOut, kerr.KafkaStorageError,
		kerr.UnknownServerError, kerr.TopicAuthorizationFailed, kerr.ClusterAuthorizationFailed, kerr.CorruptMessage,
	}
	fault := r.cluster.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Produce}, Topic: r.output, Err: codes[r.injected%len(codes)], Count: -1,
	})
	r.reports(r.running(), "sink-blocked", "retrying")
	r.hold(upTo(r, 2*time.Second))
	fault.Remove()
}
