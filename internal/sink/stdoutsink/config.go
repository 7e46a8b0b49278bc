package stdoutsink

import "streamer/internal/setting"

// Config is section sink.stdout; it has no settings.
type Config struct{}

// DefaultConfig returns the only configuration there is.
func DefaultConfig() Config { return Config{} }

// Validate finds nothing wrong.
func (Config) Validate() []setting.Fault { return nil }
