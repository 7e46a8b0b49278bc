package streamer

import (
	"context"

	"streamer/internal/admin"
	"streamer/internal/processor"
	"streamer/internal/record"
)

// Redrive makes a bounded run over dead letters of a service.
type Redrive struct {
	// Wrap makes each goroutine's worker around the pipeline's own, which knows nothing of letters.
	Wrap func(ctx context.Context, chain processor.Worker) processor.Worker
	// Original gives the record that is to go to the dead-letter topic again the place in the source that it came from.
	Original func(record.DeadLetter) record.DeadLetter
	// Pipeline is the group of the pipeline that the letters are of; dead letters name it, and not the run's own.
	Pipeline string
	// From is a group at whose commits a run without a group begins; empty for none.
	From string
}

func (s *Service) newWorker(ctx context.Context) processor.Worker {
	chain := s.chain.NewWorker(ctx)
	if s.opts.Redrive == nil {
		return chain
	}
	return s.opts.Redrive.Wrap(ctx, chain)
}

// Totals count what was delivered and what was not since the start, also after the run has ended.
func (s *Service) Totals() admin.Totals {
	if !s.board.isBuilt() {
		return admin.Totals{}
	}
	_, totals := s.delivery.history.read()
	return totals
}
