package filesink

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestConfigValidate(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Directory = "out"
	if faults := cfg.Validate(); len(faults) != 0 {
		t.Errorf("the default with a directory is faulty: %v", faults)
	}
	bad := Config{Prefix: "../x", Instance: ".hidden", Rotate: Rotate{Size: -1, Interval: -1}}
	want := []string{"directory", "prefix", "instance", "rotate.size", "rotate.interval"}
	faults := bad.Validate()
	if len(faults) != len(want) {
		t.Fatalf("Validate() = %v, want a fault for each of %v", faults, want)
	}
	for i, fault := range faults {
		if fault.Field != "sink.file."+want[i] {
			t.Errorf("fault %d is about %s, want sink.file.%s", i, fault.Field, want[i])
		}
	}
}

func TestExplainSaysWhatHelps(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		fmt.Sprintf("let user %d write to it", os.Geteuid()): &fs.PathError{Op: "mkdir", Path: "/data", Err: syscall.EACCES},
		"mount it for writing":                               &fs.PathError{Op: "mkdir", Path: "/data", Err: syscall.EROFS},
	} {
		if got := explain(err); !errors.Is(got, err) || !strings.Contains(got.Error(), want) {
			t.Errorf("%v; want it to say %s", got, want)
		}
	}
}

// The directory of a container is often a mount that belongs to somebody else.
func TestNewNamesTheUserThatMayNotWrite(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	if err := os.Chmod(directory, 0o500); err != nil {
		t.Fatal(err)
	}
	cfg := DefaultConfig()
	cfg.Directory, cfg.Instance = filepath.Join(directory, "out"), "test"
	s, err := New(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err == nil { // root may write anywhere
		t.Cleanup(func() { _ = s.Close() })
		t.Skip("this user may write to a directory without permission")
	}
	if want := "create sink.file.directory: "; !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "let user") {
		t.Errorf("err = %v", err)
	}
}
