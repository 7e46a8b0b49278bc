// Package kafka builds and configures Kafka clients and answers questions about topics, groups and offsets. It is the
// only package that creates a client, so that security, timeouts and memory bounds hold for each of them.
//
// By file: [Config] and [SourceConfig] with their checks; [NewClient] and [Config.Options] for any client;
// [SourceOptions] and [FetchSizer] for the consuming one; [Admin] for look-ups; [StartPlan] for where a partition without
// a commit begins; [Ends] for where a bounded run stops; [CommitClass] and [PollClass] for what an error allows; and what
// `streamer offsets` does.
//
// Nothing here starts a goroutine of its own. An [Admin], a [StartPlan] and [Ends] may be used from any goroutine; the
// values that they return belong to the caller.
package kafka
