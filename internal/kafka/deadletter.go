package kafka

// The headers of a dead letter: where the record came from, and what was wrong with it. They stand behind the record's own
// headers; of a record that fails again the last of each name counts.
const (
	HeaderSourceTopic     = "streamer-source-topic"
	HeaderSourcePartition = "streamer-source-partition"
	HeaderSourceOffset    = "streamer-source-offset"
	HeaderSourceTimestamp = "streamer-source-timestamp" // milliseconds since 1970
	HeaderErrorClass      = "streamer-error-class"      // as pipeline.on_error names it
	HeaderErrorStep       = "streamer-error-step"       // as it stands in the configuration: steps[0].filter
	HeaderErrorReason     = "streamer-error-reason"     // without the record's data
	HeaderPipeline        = "streamer-pipeline"         // the consumer group
	HeaderVersion         = "streamer-version"
)

// DeadLetterHeaders lists the headers of a dead letter.
func DeadLetterHeaders() []string {
	return []string{
		HeaderSourceTopic, HeaderSourcePartition, HeaderSourceOffset, HeaderSourceTimestamp, HeaderErrorClass,
		HeaderErrorStep, HeaderErrorReason, HeaderPipeline, HeaderVersion,
	}
}
