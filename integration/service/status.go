package service

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

// Status is what /api/v1/status answers, as far as tests look at it.
type Status struct {
	State      string      `json:"state"`
	Reason     string      `json:"reason"`
	Group      string      `json:"group"`
	Partitions []Partition `json:"partitions"`
	Workers    struct {
		Total  int `json:"total"`
		Busy   int `json:"busy"`
		Queued int `json:"queued_blocks"`
	} `json:"workers"`
	Memory struct {
		Used   int64 `json:"used_bytes"`
		Budget int64 `json:"budget_bytes"`
	} `json:"memory"`
	Sink struct {
		Kind      string `json:"kind"`
		State     string `json:"state"`
		LastError string `json:"last_error"`
	} `json:"sink"`
	Totals struct {
		Received  int64 `json:"received_records"`
		Filtered  int64 `json:"filtered_records"`
		Skipped   int64 `json:"skipped_records"`
		Delivered int64 `json:"delivered_records"`
		Batches   int64 `json:"batches"`
	} `json:"totals"`
}

// Partition is one assigned partition.
type Partition struct {
	Topic     string    `json:"topic"`
	Partition int32     `json:"partition"`
	State     string    `json:"state"`
	Since     time.Time `json:"state_since"`
	Records   int64     `json:"records"`
	Position  int64     `json:"position"`
	Delivered int64     `json:"delivered_offset"`
	Committed int64     `json:"committed_offset"`
	End       int64     `json:"end_offset"`
	Lag       int64     `json:"lag_records"`
	InFlight  int64     `json:"in_flight_bytes"`
	Paused    bool      `json:"paused"`
}

// Look asks for the status.
func (s *Service) Look(ctx context.Context) (*Status, error) {
	body, err := s.Get(ctx, "/api/v1/status")
	if err != nil {
		return nil, err
	}
	status := new(Status)
	if err := json.Unmarshal(body, status); err != nil {
		return nil, fmt.Errorf("read status: %w", err)
	}
	return status, nil
}

// Status asks for the status and fails the test when there is none.
func (s *Service) Status(t *testing.T) *Status {
	t.Helper()
	status, err := s.Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return status
}

// UntilStatus waits for a status of which the condition says nil.
func (s *Service) UntilStatus(t *testing.T, what string, condition func(*Status) error) {
	t.Helper()
	s.Until(t, what, func(ctx context.Context) error {
		status, err := s.Look(ctx)
		if err != nil {
			return err
		}
		return condition(status)
	})
}

// Partition returns the partition of the number, nil if it is not assigned. It is for services with one topic.
func (s *Status) Partition(number int32) *Partition {
	for i := range s.Partitions {
		if s.Partitions[i].Partition == number {
			return &s.Partitions[i]
		}
	}
	return nil
}
