package streamer

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"streamer/internal/kafka"
	"streamer/internal/partitionstream"
	"streamer/internal/record"
	"streamer/internal/sink"
)

// failure holds the first error that ends the service.
type failure struct {
	once     sync.Once
	cause    error
	happened chan struct{} // closed after cause was set
}

// fail ends the service with err; any goroutine may call it, and the first wins.
func (f *failure) fail(err error) {
	f.once.Do(func() {
		f.cause = err
		close(f.happened)
	})
}

// err returns the first error, or nil.
func (f *failure) err() error {
	select {
	case <-f.happened:
		return f.cause
	default:
		return nil
	}
}

// RecordError is the record that stopped the service under pipeline.on_error: fail.
type RecordError struct {
	Owner   record.Owner
	Failure record.Failure
	remedy  string
}

func (e *RecordError) Error() string {
	return fmt.Sprintf("record %s@%d failed: %s; %s", e.Owner, e.Failure.Offset, e.Failure.Reason(), e.remedy)
}

// Unwrap returns the cause.
func (e *RecordError) Unwrap() error { return e.Failure.Err }

func (s *Service) recordError(o record.Owner, f *record.Failure) error {
	remedy := "everything before it is delivered, nothing past it; "
	if s.cfg.Source.Kafka.Group != "" {
		remedy = "everything before it is delivered and committed, nothing past it; "
	}
	if own, ok := errors.AsType[remedied](f.Err); ok {
		return &RecordError{Owner: o, Failure: *f, remedy: remedy + own.Remedy() + s.goOnToo(o, f.Offset)}
	}
	return &RecordError{Owner: o, Failure: *f, remedy: remedy + s.goOn(o, f.Offset) + ", or set pipeline.on_error: skip"}
}

// remedied is a failure to which pipeline.on_error does not apply, and that knows what helps.
type remedied interface {
	error
	Remedy() string
}

// goOnToo is the command that goes on behind a record for which there is another remedy.
func (s *Service) goOnToo(o record.Owner, offset int64) string {
	if s.cfg.Source.Kafka.Group == "" {
		return ""
	}
	return "; " + s.goOn(o, offset)
}

// goOn is the command that goes on behind a record.
func (s *Service) goOn(o record.Owner, offset int64) string {
	group := s.cfg.Source.Kafka.Group
	if group == "" {
		return "mend the record's producer or the pipeline and run again"
	}
	return "to go on from there: " + skipCommand(o, offset, group, s.opts.CommandFlags)
}

// remediedError is a failure that trying again cannot mend, with what can.
type remediedError struct {
	err    error
	remedy string
}

func (e *remediedError) Error() string { return e.err.Error() + e.remedy }

func (e *remediedError) Unwrap() error { return e.err }

func (s *Service) sinkError(err error, reached bool) error {
	failed := &remediedError{err: err}
	if rejected, ok := errors.AsType[*sink.RejectedError](err); ok && reached {
		first := rejected.Records[0].Origin()
		failed.remedy = "; everything before it is delivered, nothing past it; " + s.goOn(first.Owner, first.Offset)
	}
	return failed
}

// readError adds to an error of the intake what helps if the log has something that nobody can read.
func (s *Service) readError(err error) error {
	broken, ok := errors.AsType[*kafka.UndecodableError](err)
	if !ok {
		return err
	}
	remedy := "; everything before it is delivered, nothing past it; " + broken.Remedy()
	if group := s.cfg.Source.Kafka.Group; group != "" {
		remedy = "; everything before it is delivered and committed, nothing past it; " + broken.Remedy() +
			"; to go on behind the batch, without what is in it: " + moveCommand(broken.At, broken.Next, group, s.opts.CommandFlags)
	}
	return &remediedError{err: err, remedy: remedy}
}

// AbandonedError names what was received but not committed when the time to stop was over. It will be delivered again.
type AbandonedError struct {
	Spans []partitionstream.Unsettled
	Why   string
}

func (e *AbandonedError) Error() string {
	spans := make([]string, 0, len(e.Spans))
	for _, left := range e.Spans {
		spans = append(spans, left.Owner.String()+" "+left.Span.String())
	}
	return fmt.Sprintf("%s; abandoned, not committed, and delivered again by the next run: %s",
		e.Why, strings.Join(spans, ", "))
}

// How many failing records are logged in one interval; the others are counted and summed up in the next line.
const (
	failuresLogged  = 10
	failureInterval = 10 * time.Second
)

// failureLog logs records that failed and were skipped: offset and reason, never payload, and not one line for each of a
// million. One goroutine uses it.
type failureLog struct {
	log        *slog.Logger
	window     time.Time
	lines      int
	suppressed int
}

func (l *failureLog) skipped(o record.Owner, failures []record.Failure, now time.Time) {
	for i := range failures {
		if now.Sub(l.window) >= failureInterval {
			if l.suppressed > 0 {
				l.log.Warn("more records failed and were skipped", "records", l.suppressed)
			}
			l.window, l.lines, l.suppressed = now, 0, 0
		}
		if l.lines == failuresLogged {
			l.suppressed += len(failures) - i
			return
		}
		l.lines++
		f := &failures[i]
		l.log.Warn("record failed and was skipped", "topic", o.Topic, "partition", o.Partition,
			"offset", f.Offset, "class", f.Class, "step", f.Step, "reason", f.Err.Error())
	}
}
