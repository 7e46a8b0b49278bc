package filesink

import (
	"fmt"
	"os"
	"regexp"
	"time"

	"streamer/internal/setting"
)

// Config is section sink.file.
type Config struct {
	// Directory the files are written to; it is created if it is missing.
	Directory string `yaml:"directory"`
	// Prefix that all file names begin with.
	Prefix string `yaml:"prefix"`
	// Instance names this process among those that write to the directory; empty means the host's name. It must be the
	// same after a restart, or the open file of the crashed process is not found again.
	Instance string `yaml:"instance"`
	Rotate   Rotate `yaml:"rotate"`
}

// Rotate says when the open file is closed and given its final name; whichever comes first. 0 turns one off.
type Rotate struct {
	// Size is reached by whole batches: a file is larger by up to one batch.
	Size setting.Bytes `yaml:"size"`
	// Interval is counted from the file's creation. Files without a line are not given a final name.
	Interval setting.Duration `yaml:"interval"`
}

// DefaultConfig leaves only the directory to the user: files of 128 MiB, or five minutes.
func DefaultConfig() Config {
	return Config{
		Prefix: "streamer",
		Rotate: Rotate{Size: 128 << 20, Interval: setting.Duration(5 * time.Minute)},
	}
}

// namePart is what a prefix or an instance may look like: nothing that could leave the directory or hide the file.
var namePart = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,99}$`)

// Validate lists what is wrong with the configuration.
func (c Config) Validate() []setting.Fault {
	var faults []setting.Fault
	fault := func(field, value, remedy string) {
		faults = append(faults, setting.Fault{Field: "sink.file." + field, Value: value, Remedy: remedy})
	}
	const part = "cannot be part of a file name; write 1 to 100 of the characters a-z A-Z 0-9 . _ -, no . or - in front"
	if c.Directory == "" {
		fault("directory", "", "is required; write the directory that the files go to")
	}
	if !namePart.MatchString(c.Prefix) {
		fault("prefix", c.Prefix, part)
	}
	if c.Instance != "" && !namePart.MatchString(c.Instance) {
		fault("instance", c.Instance, part)
	}
	if c.Rotate.Size < 0 {
		fault("rotate.size", c.Rotate.Size.String(), "must not be negative; write 128MiB, or 0 for no limit")
	}
	if c.Rotate.Interval < 0 {
		fault("rotate.interval", c.Rotate.Interval.String(),
			"must not be negative; write 5m, or 0 for no limit")
	}
	return faults
}

// instance is the configured name or the host's.
func (c Config) instance() (string, error) {
	if c.Instance != "" {
		return c.Instance, nil
	}
	host, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("read host name for sink.file.instance: %w", err)
	}
	if !namePart.MatchString(host) {
		return "", fmt.Errorf("host name %q cannot be part of a file name; set sink.file.instance", host)
	}
	return host, nil
}
