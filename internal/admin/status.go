package admin

import "time"

// Status is what /api/v1/status answers and what live views draw: one consistent look at the service.
type Status struct {
	Version  string    `json:"version"`
	Instance string    `json:"instance"`
	Group    string    `json:"group"`
	Started  time.Time `json:"started"`
	// State is the reason why the service as a whole waits or works: idle, fetching, processing, paused-memory, retrying,
	// sink-blocked, broker-lost, draining.
	State      string      `json:"state"`
	Reason     string      `json:"reason,omitempty"`
	StateSince time.Time   `json:"state_since"`
	Partitions []Partition `json:"partitions"`
	Workers    Workers     `json:"workers"`
	Memory     Memory      `json:"memory"`
	Sink       Sink        `json:"sink"`
	Totals     Totals      `json:"totals"`
	// Batches are the last 100, oldest first.
	Batches []Batch `json:"batches"`
}

// Partition is one assigned partition. Offsets are -1 while unknown.
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
	Received  int64 `json:"received_records"`
	Filtered  int64 `json:"filtered_records"`
	Skipped   int64 `json:"skipped_records"`
	Fenced    int64 `json:"fenced_records"`
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
