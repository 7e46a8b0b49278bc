package kafka

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// fetchMaxWait bounds how long a resumed partition waits for the long poll that went out without it.
	fetchMaxWait = 250 * time.Millisecond
	// mostHeartbeat is Kafka's default; a third of the session timeout if that is less.
	mostHeartbeat = 3 * time.Second
	// metadataAge is how soon a partition that was added is seen. A pattern loads the metadata of all topics, so it asks
	// less often.
	metadataAge        = 10 * time.Second
	patternMetadataAge = 30 * time.Second
)

// internalTopics are Kafka's own. Kafka marks them as internal and kgo then skips them, but a broker that resolves the
// pattern itself (KIP-848) would assign them; with an exclusion kgo resolves the pattern.
const internalTopics = "^__(consumer_offsets|transaction_state|share_group_state|cluster_metadata|remote_log_metadata)$"

// SourceOptions are the options of the consuming client beside the connection's, with fetch sizes derived from the
// memory budget in bytes. The [FetchSizer] is installed already; the caller tells it which partitions have gone.
//
// With a group the caller adds the assignment callbacks and [kgo.AdjustFetchOffsetsFn] with [StartPlan.Resolve]; a
// partition that reaches the client without an offset is an error there, not a reset. Without a group it adds
// [kgo.ConsumePartitions]. kgo.BlockRebalanceOnPoll must not be added: a poll would wait for each callback.
func SourceOptions(s SourceConfig, budget int64) ([]kgo.Opt, *FetchSizer) {
	sizer := newFetchSizer(budget)
	opts := []kgo.Opt{
		kgo.WithHooks(sizer, &sizer.pacer, &sizer.short),
		kgo.WithPools(&sizer.short),
		kgo.FetchMaxWait(fetchMaxWait),
		kgo.FetchMaxBytes(sizer.last.bytes),
		kgo.FetchMaxPartitionBytes(sizer.last.partition),
		UnpackLimit(budget),
		kgo.FetchIsolationLevel(s.isolation()),
		// Markers of transactions take offsets; without them a partition that ends in one would never reach lag 0.
		kgo.KeepControlRecords(),
		// kgo would skip or repeat records in silence; on_out_of_range is applied where it can be counted and logged.
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtCommitted()),
	}
	if s.Rack != "" {
		opts = append(opts, kgo.Rack(s.Rack))
	}
	if s.Group != "" {
		opts = append(opts, s.groupOptions()...)
	}
	return opts, sizer
}

func (s SourceConfig) groupOptions() []kgo.Opt {
	session := time.Duration(s.SessionTimeout)
	opts := []kgo.Opt{
		kgo.ConsumerGroup(s.Group),
		kgo.DisableAutoCommit(),
		kgo.SessionTimeout(session),
		kgo.HeartbeatInterval(min(mostHeartbeat, session/3)),
		kgo.RebalanceTimeout(s.RebalanceTimeout()),
	}
	opts = append(opts, s.topicOptions()...)
	if s.InstanceID != "" {
		opts = append(opts, kgo.InstanceID(s.InstanceID))
	}
	if s.GroupProtocol == ProtocolConsumer {
		// The broker assigns; kgo only looks whether the balancer is sticky or range, and with any other, or a broker that
		// does not know KIP-848, joins by the classic protocol without a word. AssertProtocol tells.
		return append(opts, kgo.ServerSideBalancer(), kgo.Balancers(kgo.StickyBalancer()))
	}
	return append(opts, kgo.Balancers(kgo.CooperativeStickyBalancer()))
}

func (s SourceConfig) topicOptions() []kgo.Opt {
	if s.TopicPattern == "" {
		return []kgo.Opt{kgo.ConsumeTopics(s.Topics...), kgo.MetadataMaxAge(metadataAge)}
	}
	return []kgo.Opt{
		kgo.ConsumeTopics(s.TopicPattern), kgo.ConsumeRegex(), kgo.ConsumeExcludeTopics(internalTopics),
		kgo.MetadataMaxAge(patternMetadataAge),
	}
}

func (s SourceConfig) isolation() kgo.IsolationLevel {
	if s.Isolation == ReadUncommitted {
		return kgo.ReadUncommitted()
	}
	return kgo.ReadCommitted()
}
