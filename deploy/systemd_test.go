package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"streamer/internal/config"
)

const unit = "systemd/streamer.service"

// settings are the unit's, by name, also those that are offered as comments; one that is given several times has several values.
func settings(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for line := range strings.Lines(read(t, unit)) {
		name, value, given := strings.Cut(strings.TrimSpace(line), "=")
		if given && !strings.HasPrefix(name, "# ") {
			found[name] = append(found[name], value)
		}
	}
	return found
}

func TestUnit(t *testing.T) {
	t.Parallel()
	got := settings(t)
	for name, want := range map[string]string{
		"ExecStart":                "/usr/local/bin/streamer run -c /etc/streamer/config.yaml",
		"Restart":                  "on-failure",
		"RestartPreventExitStatus": "2",
		"DynamicUser":              "yes",
		"StateDirectory":           "streamer",
		"ProtectSystem":            "strict",
		"NoNewPrivileges":          "yes",
		"CapabilityBoundingSet":    "",
	} {
		if !slices.Equal(got[name], []string{want}) {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	patience, err := time.ParseDuration(strings.Join(got["TimeoutStopSec"], ""))
	if drain := time.Duration(config.Default().Shutdown.Timeout); err != nil || patience < drain+10*time.Second {
		t.Errorf("TimeoutStopSec %s cuts a drain of %s short; %v", patience, drain, err)
	}
}

// systemd says of a misspelt setting only in its log that it ignores it: what should be locked is open.
func TestSystemdAcceptsTheUnit(t *testing.T) {
	t.Parallel()
	analyze := tool(t, "systemd-analyze")
	program, err := os.Executable() // any that is there
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "streamer.service")
	write(t, path, strings.ReplaceAll(read(t, unit), "/usr/local/bin/streamer", program))
	if said, err := exec.CommandContext(t.Context(), analyze, "verify", path).CombinedOutput(); err != nil || len(said) > 0 {
		t.Errorf("%v: %s", err, said)
	}
	// Exposure in tenths, of 100: what is left is that it speaks TCP.
	run(t, analyze, "security", "--offline=true", "--no-pager", "--threshold=12", path)
}
