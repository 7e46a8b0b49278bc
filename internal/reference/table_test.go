package reference

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func TestReloadCanBeOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := DefaultConfig()
		c.File, c.Key, c.Reload = write(t, "ads.csv", "id\n1\n"), "id", 0
		table, err := Open(c, Deps{Logger: slog.New(slog.DiscardHandler), Metrics: NewMetrics(prometheus.NewRegistry())})
		if err != nil {
			t.Fatal(err)
		}
		before := table.Current()
		ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
		defer cancel()
		if err := os.WriteFile(c.File, []byte("id\n1\n2\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := table.Run(ctx); err != nil {
			t.Error(err)
		}
		if table.Current() != before {
			t.Error("the file was loaded again")
		}
	})
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	deps := Deps{Logger: slog.New(slog.DiscardHandler), Metrics: NewMetrics(prometheus.NewRegistry())}
	missing := filepath.Join(t.TempDir(), "ads.csv")
	broken := write(t, "ads.csv", "id\nx,y\n")
	for file, want := range map[string]string{
		missing:           "load reference table: stat " + missing + ": no such file or directory",
		broken:            "load reference table " + broken + ": line 2: cells: 2, columns in the header: 1; write a cell for each column, and quotes around those with a comma",
		os.TempDir() + "": "load reference table " + os.TempDir() + ": it is not a regular file; write the path of one",
	} {
		c := DefaultConfig()
		c.File, c.Key = file, "id"
		if _, err := Open(c, deps); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// A file that somebody writes to while it is read is not taken, whatever it looks like.
func TestWrittenWhileRead(t *testing.T) {
	t.Parallel()
	c := DefaultConfig()
	c.File, c.Key = write(t, "ads.csv", "id\n1\n"), "id"
	written := false
	_, _, err := load(c, func() error {
		if written {
			return nil
		}
		written = true
		return os.WriteFile(c.File, []byte("id\n1\n\"broken"), 0o600)
	})
	if want := "load reference table " + c.File + ": " + errChanging.Error(); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// The end of the service need not wait for a large file.
func TestLoadingStops(t *testing.T) {
	t.Parallel()
	c := DefaultConfig()
	c.File, c.Key = write(t, "ads.csv", "id\n1\n"), "id"
	if _, _, err := load(c, func() error { return io.ErrClosedPipe }); err == nil || !strings.Contains(err.Error(), "closed pipe") {
		t.Error(err)
	}
}
