package admin

import "time"

// The states of a service or a partition: why it works or waits. docs/observability.md says what to do about each.
const (
	StateIdle         = "idle"          // nothing to do: at the end of the input
	StateFetching     = "fetching"      // waiting for records that are there
	StateProcessing   = "processing"    // blocks are with the workers, the union or the sink
	StatePausedMemory = "paused-memory" // the byte budget is used up; intake goes on when the sink acknowledges
	StateRetrying     = "retrying"      // the sink refused; attempt and last error are the reason
	StateSinkBlocked  = "sink-blocked"  // the sink has not answered yet
	StateBrokerLost   = "broker-lost"   // no broker of the input answers
	StateDraining     = "draining"      // stopping, or giving a partition back
	StateResetting    = "resetting"     // a partition's position fell out of its log
	StateUnreadable   = "unreadable"    // what is at a partition's position could not be read; it is looked at apart
	StateFinished     = "finished"      // a partition of a bounded run has reached its end
)

// ServiceStates lists the states that the service as a whole can be in, for metrics.
func ServiceStates() []string {
	return []string{
		StateIdle, StateFetching, StateProcessing, StatePausedMemory, StateRetrying, StateSinkBlocked, StateBrokerLost,
		StateDraining, StateUnreadable,
	}
}

// PartitionStates lists the states that a partition can be in, for metrics.
func PartitionStates() []string { return append(ServiceStates(), StateResetting, StateFinished) }

// Status is what /api/v1/status answers and what live views draw: one consistent look at the service. Fields are added
// over time and never change their meaning; times are RFC 3339, sizes bytes, durations seconds.
type Status struct {
	Version  string    `json:"version"`
	Instance string    `json:"instance"`
	Group    string    `json:"group"`
	Started  time.Time `json:"started"`
	// State is the gravest state of any part, one of the State constants; Reason adds what is known, such as the last
	// error. The same words are used per partition.
	State      string      `json:"state"`
	Reason     string      `json:"reason,omitempty"`
	StateSince time.Time   `json:"state_since"`
	Partitions []Partition `json:"partitions"`
	Workers    Workers     `json:"workers"`
	Memory     Memory      `json:"memory"`
	Sink       Sink        `json:"sink"`
	// DeadLetters is the writer of the dead-letter topic; absent without one.
	DeadLetters *Sink  `json:"dead_letters,omitempty"`
	Totals      Totals `json:"totals"`
	// Batches are the last 100, oldest first.
	Batches []Batch `json:"batches"`
}

// withLists replaces missing lists by empty ones: readers iterate over [], and trip over null.
func (s Status) withLists() Status {
	if s.Partitions == nil {
		s.Partitions = []Partition{}
	}
	if s.Batches == nil {
		s.Batches = []Batch{}
	}
	return s
}

// Partition is one assigned partition. Offsets and Lag are -1 while unknown. Delivered, Committed and Position are the
// next offset, as Kafka counts: the first one not yet delivered, committed or fetched.
type Partition struct {
	Topic         string    `json:"topic"`
	Partition     int32     `json:"partition"`
	State         string    `json:"state"`
	Reason        string    `json:"reason,omitempty"`
	StateSince    time.Time `json:"state_since"`
	Records       int64     `json:"records"`
	Bytes         int64     `json:"bytes"`
	Position      int64     `json:"position"`
	Delivered     int64     `json:"delivered_offset"`
	Committed     int64     `json:"committed_offset"`
	End           int64     `json:"end_offset"`
	Lag           int64     `json:"lag_records"`
	LagSeconds    float64   `json:"lag_seconds"`
	InFlightBytes int64     `json:"in_flight_bytes"`
	Paused        bool      `json:"paused"`
}

// Workers is the pool.
type Workers struct {
	Total  int `json:"total"`
	Busy   int `json:"busy"`
	Queued int `json:"queued_blocks"`
}

// Memory is the byte budget between poll and acknowledgement.
type Memory struct {
	UsedBytes   int64 `json:"used_bytes"`
	BudgetBytes int64 `json:"budget_bytes"`
}

// Sink is the writer's state.
type Sink struct {
	Kind      string    `json:"kind"`
	State     string    `json:"state"` // idle, writing, retrying
	Since     time.Time `json:"since"`
	Attempt   int       `json:"attempt,omitempty"`
	LastError string    `json:"last_error,omitempty"`
}

// Totals count since the start of the process.
type Totals struct {
	Received int64 `json:"received_records"`
	Filtered int64 `json:"filtered_records"`
	Skipped  int64 `json:"skipped_records"`
	// DeadLettered records were written to the dead-letter topic; Reduced ones went into an aggregate.
	DeadLettered int64 `json:"dead_lettered_records"`
	Reduced      int64 `json:"reduced_records"`
	Fenced       int64 `json:"fenced_records"`
	// Delivered are output records: an aggregate delivers fewer than it received, a flat_map may deliver more.
	Delivered int64 `json:"delivered_records"`
	Blocks    int64 `json:"blocks"`
	Batches   int64 `json:"batches"`
}

// Batch is one delivered batch, with Spark's three times in seconds: scheduling delay (from closed to begun writing),
// processing time (writing), total delay (from its first record's arrival to acknowledgement).
type Batch struct {
	ID              uint64    `json:"id"`
	Cut             string    `json:"cut"`
	Closed          time.Time `json:"closed"`
	Records         int       `json:"records"`
	Blocks          int       `json:"blocks"`
	Partitions      int       `json:"partitions"`
	Bytes           int64     `json:"bytes"`
	SchedulingDelay float64   `json:"scheduling_delay_seconds"`
	ProcessingTime  float64   `json:"processing_time_seconds"`
	TotalDelay      float64   `json:"total_delay_seconds"`
}
