package batcher

import (
	"time"

	"streamer/internal/setting"
)

// Config bounds a batch; whichever bound is reached first cuts it.
type Config struct {
	// Interval is how long a batch may stay open. 0 means: cut as soon as the sink is free.
	Interval   setting.Duration `yaml:"interval"`
	MaxRecords int              `yaml:"max_records"`
	MaxBytes   setting.Bytes    `yaml:"max_bytes"`
}

// DefaultConfig cuts every two seconds, or at 100,000 records or 16 MiB.
func DefaultConfig() Config {
	return Config{Interval: setting.Duration(2 * time.Second), MaxRecords: 100_000, MaxBytes: 16 << 20}
}
