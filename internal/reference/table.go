package reference

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// Table is a reference table that follows its file.
type Table struct {
	config  Config
	deps    Deps
	current atomic.Pointer[Rows]

	// Only used by Open and then by Run.
	last    fs.FileInfo // what the file was at the last look; nil if it could not be looked at
	taken   fs.FileInfo // what the file was when its content was read, for better or worse
	failure error       // why the rows are not those of the file, nil if they are
}

// Deps are what a table needs from the service.
type Deps struct {
	Logger  *slog.Logger
	Metrics *Metrics
}

const (
	// settle is how long a file that was written to in place must stay as it is before it is read; Config.Reload if that is
	// shorter.
	settle = time.Second
	// attempts at reading a file at the start that is written to meanwhile.
	attempts = 3
)

// Open loads the table. The error names the file, the line if it is about one, what is wrong and what helps.
func Open(c Config, deps Deps) (*Table, error) {
	t := &Table{config: c, deps: deps}
	var err error
	for range attempts {
		var rows *Rows
		rows, t.taken, err = load(c, func() error { return nil })
		if err == nil {
			t.last = t.taken
			t.use(rows)
			return t, nil
		}
		if !errors.Is(err, errChanging) {
			break
		}
	}
	return nil, err
}

func (t *Table) use(rows *Rows) {
	t.current.Store(rows)
	t.deps.Metrics.load(t.config.File, rows)
}

// Current returns the rows that hold now. Any goroutine may call it. A block keeps what it got to its end, or it would
// depend on the moment which of its records see new rows.
func (t *Table) Current() *Rows { return t.current.Load() }

// Run looks at the file every Config.Reload and loads it when it has changed, until the context ends; it returns nil then.
// A file that cannot be loaded leaves the old rows in use. While it is loaded, both old and new rows are in memory.
func (t *Table) Run(ctx context.Context) error {
	if t.config.Reload <= 0 {
		<-ctx.Done()
		return nil
	}
	next := time.NewTimer(time.Duration(t.config.Reload))
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-next.C:
			next.Reset(t.look(ctx))
		}
	}
}

// look takes one look at the file and returns when the next one is due.
//
// A file that was replaced, by renaming another one to its name, is read at once: it is complete. One that was written to in
// place may be half of what it will be, and half a table can look like a whole one; it is read when it has stayed as it is
// for a moment.
func (t *Table) look(ctx context.Context) time.Duration {
	interval := time.Duration(t.config.Reload)
	info, err := os.Stat(t.config.File)
	if err != nil {
		t.last, t.taken = nil, nil
		t.fail(named(t.config, err))
		return interval
	}
	last := t.last
	t.last = info
	switch {
	case same(info, t.taken):
		if t.failure != nil { // the same bytes would fail again
			t.deps.Metrics.fail(t.config.File)
		}
		return interval
	case last != nil && os.SameFile(info, last) && !same(info, last):
		return min(interval, settle)
	}
	return t.reload(ctx)
}

// reload reads the file and returns when the next look is due.
func (t *Table) reload(ctx context.Context) time.Duration {
	interval := time.Duration(t.config.Reload)
	rows, taken, err := load(t.config, ctx.Err)
	_, content := errors.AsType[*contentError](err)
	switch {
	case ctx.Err() != nil:
	case err == nil:
		t.taken, t.failure = taken, nil
		t.use(rows)
		t.deps.Logger.InfoContext(ctx, "reference table loaded", "file", t.config.File, "rows", rows.Len(), "bytes", rows.Bytes())
	case content && taken != nil:
		t.taken, t.failure = taken, nil // nil, for this is another file than the one that failed before
		t.fail(err)
	case errors.Is(err, errChanging):
		t.fail(err)
		return min(interval, settle)
	default:
		t.fail(err)
	}
	return interval
}

// fail keeps the old rows. It warns when the reason is new: a file may stay away for days.
func (t *Table) fail(err error) {
	t.deps.Metrics.fail(t.config.File)
	if t.failure == nil || t.failure.Error() != err.Error() {
		t.deps.Logger.Warn("reference table cannot be loaded, the rows loaded before stay in use",
			"file", t.config.File, "error", err)
	}
	t.failure = err
}
