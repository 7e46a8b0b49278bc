// Package partitionstream receives: it owns the assignment of partitions to this member, one direct stream per partition,
// and everything that must be decided in one place because it depends on who owns a partition now: appending, cutting
// blocks, pausing, acknowledging, committing, revoking.
//
// [Assignment] is that place, and its Run is the assignment loop. It alone polls and appends, so no hand-off lies between
// a poll and the stream it belongs to: a fetch held across a revoke and a new assignment could not be told from a new one.
// It owns all streams, so they need no lock. kgo's callbacks, acknowledgements and finished commits come as messages
// ([mailbox]) that wake it by ending the current poll early; a fetch that was not collected stays buffered in kgo.
//
// The loop never waits for a later stage. Memory is bounded by pausing partitions, not by blocking: a poller that blocks
// is a member that misses its rebalance, and a sink that is down would cost the group its member.
package partitionstream
