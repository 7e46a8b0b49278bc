//go:build chaos && linux

package chaos_test

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"streamer/integration/ledger"
	"streamer/integration/service"
)

// The byte budget of every process, and what it may have in memory: the collector's share and the program itself are not
// in the budget.
const (
	budget  = 64 << 20
	ceiling = 3 * budget
)

// watch looks at the processes of a scenario and at its commits while it plays. It has two goroutines: a broker that is
// away must not keep the one from looking at processes.
type watch struct {
	result *result
	admin  *kadm.Client
	group  string
	input  string
	cancel context.CancelFunc
	wait   sync.WaitGroup

	mu      sync.Mutex
	names   map[*service.Service]string
	pending []*recovery
}

// recovery is what has to be committed for a fault to be over.
type recovery struct {
	since time.Time
	ends  map[int32]int64
	last  error
	done  bool
}

func startWatch(r *rig) *watch {
	ctx, cancel := context.WithCancel(r.t.Context())
	w := &watch{
		result: r.result, admin: r.broker.Admin(r.t), group: r.group, input: r.Topic, cancel: cancel,
		names: map[*service.Service]string{},
	}
	w.wait.Go(func() { every(ctx, 100*time.Millisecond, w.lookAtProcesses) })
	w.wait.Go(func() { every(ctx, 50*time.Millisecond, w.lookAtCommits) })
	return w
}

func every(ctx context.Context, pause time.Duration, look func(context.Context)) {
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		look(ctx)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

func (w *watch) stop() {
	w.cancel()
	w.wait.Wait()
}

func (w *watch) add(s *service.Service, name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.names[s] = name
}

// remove tells that the process will end, or will not answer, because the scenario wants it.
func (w *watch) remove(s *service.Service) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.names, s)
}

func (w *watch) watched() map[*service.Service]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.names)
}

func (w *watch) still(s *service.Service) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.names[s] != ""
}

func (w *watch) lookAtProcesses(ctx context.Context) {
	for s, name := range w.watched() {
		if !s.Running() {
			if w.still(s) {
				w.remove(s)
				w.result.faultf(exitCode, "%s ended by itself; the end of its log:\n%s", name, s.Stderr.Last(12))
			}
			continue
		}
		if size, err := s.RSS(); err == nil { // it may have ended meanwhile
			w.result.resident(size)
			if size > ceiling {
				w.result.faultf(memory, "%s has %d MiB, the ceiling is %d MiB", name, size>>20, ceiling>>20)
			}
		}
		// One that does not answer yet, or was killed meanwhile, says nothing; one that says that it is stuck does.
		if err := s.Live(ctx); err != nil && strings.Contains(err.Error(), "stalled") && w.still(s) {
			w.result.faultf(alive, "%s: %v", name, err)
		}
	}
}

// healed begins to measure how long it takes until the ends are committed. The returned condition says when.
func (w *watch) healed(ends map[int32]int64) func(context.Context) error {
	re := &recovery{since: time.Now(), ends: ends, last: fmt.Errorf("commits were not looked at yet")}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pending = append(w.pending, re)
	return func(context.Context) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		if re.done {
			return nil
		}
		return re.last
	}
}

func (w *watch) lookAtCommits(ctx context.Context) {
	w.mu.Lock()
	waiting := len(w.pending) > 0
	w.mu.Unlock()
	if !waiting {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	committed, err := ledger.Committed(ctx, w.admin, w.group, w.input)
	w.mu.Lock()
	defer w.mu.Unlock()
	left := w.pending[:0]
	for _, re := range w.pending {
		if re.last = err; err == nil {
			re.last = behind(committed, re.ends, false)
		}
		if re.last != nil {
			left = append(left, re)
			continue
		}
		re.done = true
		w.result.recovered(time.Since(re.since))
	}
	w.pending = left
}
