package partitionstream

import (
	"time"

	"streamer/internal/setting"
)

// Config bounds a block; whichever bound is reached first cuts it.
type Config struct {
	// Interval is how long a block may stay open. 0 means: cut as soon as a worker is free.
	Interval   setting.Duration `yaml:"interval"`
	MaxRecords int              `yaml:"max_records"`
	MaxBytes   setting.Bytes    `yaml:"max_bytes"`
}

// DefaultConfig is Spark's block interval, and sizes that keep a block in a core's cache.
func DefaultConfig() Config {
	return Config{Interval: setting.Duration(200 * time.Millisecond), MaxRecords: 4096, MaxBytes: 1 << 20}
}
