package streamer

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"
)

// stages runs the service's goroutines under three contexts that end one after the other: intake, work, and last, which
// the client's callbacks and the admin server need until everything else is over. None of them is the caller's context:
// that only asks for a stop.
type stages struct {
	intake, work, last          context.Context //nolint:containedctx // the stages' lifetimes are the point
	endIntake, endWork, endLast context.CancelFunc
	group                       errgroup.Group
	mu                          sync.Mutex
	errs                        []error
}

func newStages(ctx context.Context) *stages {
	s := &stages{}
	base := context.WithoutCancel(ctx)
	s.last, s.endLast = context.WithCancel(base)
	s.work, s.endWork = context.WithCancel(s.last)
	s.intake, s.endIntake = context.WithCancel(s.work)
	return s
}

// run starts f under ctx. Its error is reported by end.
func (s *stages) run(name string, ctx context.Context, f func(context.Context) error) { //nolint:revive // ctx is data here
	s.group.Go(func() error {
		if err := f(ctx); err != nil && !errors.Is(err, context.Canceled) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.errs = append(s.errs, fmt.Errorf("run %s: %w", name, err))
		}
		return nil
	})
}

// end stops what still runs and waits for it.
func (s *stages) end() error {
	s.endIntake()
	s.endWork()
	s.endLast()
	_ = s.group.Wait() // run collects the errors
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.errs...)
}
