package sink

import (
	"time"

	"streamer/internal/setting"
)

// Config is what all kinds of sink share: section sink, beside the kind's own section.
type Config struct {
	Retry Retry `yaml:"retry"`
}

// Retry bounds the pause between two attempts at the same batch. It doubles from Min to Max; each pause is shortened by
// up to a half at random, so that replicas that failed together do not come back together.
type Retry struct {
	Min setting.Duration `yaml:"min"`
	Max setting.Duration `yaml:"max"`
}

// DefaultConfig retries after 100 ms at first, so that a leader's move costs little, and every 10 s in the end: quick
// enough that nobody waits for us after an outage, slow enough not to add to it.
func DefaultConfig() Config {
	return Config{Retry: Retry{
		Min: setting.Duration(100 * time.Millisecond),
		Max: setting.Duration(10 * time.Second),
	}}
}

// Validate lists what is wrong with the configuration.
func (c Config) Validate() []setting.Fault {
	var faults []setting.Fault
	if c.Retry.Min <= 0 {
		faults = append(faults, setting.Fault{
			Field: "sink.retry.min", Value: c.Retry.Min.String(),
			Remedy: "must be above 0, or a failing sink is called without a pause; write 100ms",
		})
	}
	if c.Retry.Max < c.Retry.Min {
		faults = append(faults, setting.Fault{
			Field: "sink.retry.max", Value: c.Retry.Max.String(),
			Remedy: "must not be below sink.retry.min (" + c.Retry.Min.String() + "); write 10s",
		})
	}
	return faults
}
