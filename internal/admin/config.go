package admin

import (
	"net"
	"strconv"
	"time"

	"streamer/internal/setting"
)

// minStallTimeout keeps one slow block or a pause of the garbage collector from looking like a stuck stage.
const minStallTimeout = 5 * time.Second

// Config says where the admin server listens and when a stage counts as stuck.
type Config struct {
	// Listen is host:port. An empty host means every interface; metrics and status have no password, so the default is
	// loopback.
	Listen string `yaml:"listen"`
	// StallTimeout is how long a stage with work may stand still before /livez is red.
	StallTimeout setting.Duration `yaml:"stall_timeout"`
}

// DefaultConfig listens on loopback. A minute is far above the time any block takes (4,096 records at 1 ms each are 4 s)
// and well below what an operator would wait.
func DefaultConfig() Config {
	return Config{Listen: "127.0.0.1:4040", StallTimeout: setting.Duration(time.Minute)}
}

// Validate returns what is wrong with the values; fields carry the full path.
func (c Config) Validate() []setting.Fault {
	var faults []setting.Fault
	if !validAddress(c.Listen) {
		faults = append(faults, setting.Fault{
			Field: "admin.listen", Value: c.Listen,
			Remedy: "is not host:port with a port from 0 to 65535; write 127.0.0.1:4040, or :4040 for every interface",
		})
	}
	if limit := time.Duration(c.StallTimeout); limit < minStallTimeout {
		faults = append(faults, setting.Fault{
			Field: "admin.stall_timeout", Value: limit.String(),
			Remedy: "is too short, a busy machine would look stuck; write " + minStallTimeout.String() + " or more",
		})
	}
	return faults
}

func validAddress(address string) bool {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}
