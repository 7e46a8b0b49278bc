package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"streamer/internal/admin"
)

// service is what the demo watches. The tests put faulty ones in its place, each of which the check must catch.
type service interface {
	Run(ctx context.Context) error
	Status() admin.Status
}

// starter makes the service under test; it reads and writes the broker's topics and serves admin at that address.
type starter func(broker *Broker, adminAddress string, logger *slog.Logger) (service, error)

// play is one run: the parts and what they share. Its fields do not change once it runs.
type play struct {
	options   Options
	broker    *Broker
	observer  *observer
	generator *Generator
	reader    *Reader
	checker   *Checker
	display   *display
	clients   []*kgo.Client
	began     time.Time
}

// settleTimeout bounds the wait for the service to commit everything once the generator has ended, and for the reader to
// reach the end of the output.
const settleTimeout = 30 * time.Second

// errEarly is a service that ends by itself, which must not pass for one that had nothing to do.
var errEarly = errors.New("the service ended before it was asked to")

// stage builds the parts.
func stage(ctx context.Context, broker *Broker, o Options, start starter) (*play, error) {
	p := &play{options: o, broker: broker, checker: NewChecker(o.Seed)}
	producer, err := p.client("generator", producerOptions())
	if err != nil {
		return nil, err
	}
	consumer, err := p.client("reader", readerOptions())
	if err != nil {
		return nil, err
	}
	p.generator = NewGenerator(producer, o.Seed, o.Rate)
	p.reader = NewReader(consumer, p.checker)
	p.display = newDisplay(o)
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	p.display.admin = address
	service, err := start(broker, address, p.display.logger)
	if err != nil {
		return nil, fmt.Errorf("start the service: %w", err)
	}
	p.observer = &observer{service: service}
	return p, nil
}

func (p *play) client(role string, opts []kgo.Opt) (*kgo.Client, error) {
	client, err := p.broker.Client(role, opts...)
	if err == nil {
		p.clients = append(p.clients, client)
	}
	return client, err
}

func (p *play) close() {
	for _, client := range p.clients {
		client.Close()
	}
}

// run goes on until ctx ends or the time is up, lets the service finish, and checks. When it returns nothing runs any more.
func (p *play) run(ctx context.Context) (Summary, error) {
	p.began = time.Now()
	crew, work := errgroup.WithContext(context.WithoutCancel(ctx)) // ctx ends the events, not what delivers them
	work, stop := context.WithCancel(work)
	defer stop()
	serving, stopService := context.WithCancel(work)
	defer stopService()
	served := make(chan struct{})
	crew.Go(func() error {
		defer close(served)
		err := p.observer.service.Run(serving)
		if err == nil && serving.Err() == nil {
			return errEarly
		}
		return err
	})
	crew.Go(func() error { return p.reader.Run(work) })
	crew.Go(func() error { return p.broker.Trim(work, p.committed, p.reader.Read) })
	crew.Go(func() error { return p.display.run(work, p.frame) })
	crew.Go(func() error {
		defer stop()
		if err := p.generate(ctx, work); err != nil {
			return err
		}
		p.settle(work, func() bool { return p.backlog() <= 0 })
		p.observer.freeze()
		stopService()
		<-served
		p.settle(work, p.readAll)
		return nil
	})
	err := crew.Wait()
	return Summary{
		Partitions: p.checker.Report(p.generator.Acked()),
		Elapsed:    time.Since(p.began),
		Batches:    p.observer.look().Totals.Batches,
	}, err
}

// generate produces until ctx ends, the time is up, or something fails.
func (p *play) generate(ctx, work context.Context) error {
	generating, end := context.WithCancel(work)
	defer end()
	defer context.AfterFunc(ctx, end)()
	if p.options.For > 0 {
		generating, end = context.WithTimeout(generating, p.options.For)
		defer end()
	}
	err := p.generator.Run(generating, p.backlog)
	p.display.stopping.Store(true)
	return err
}

// settle waits until done, for settleTimeout at most: the check then says what did not come.
func (p *play) settle(ctx context.Context, done func() bool) {
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	ticks := time.NewTicker(tick)
	defer ticks.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
	}
}

// committed is the service's commit per partition, 0 while there is none.
func (p *play) committed() [partitions]int64 {
	var committed [partitions]int64
	for _, part := range p.observer.look().Partitions {
		committed[part.Partition] = max(part.Committed, 0)
	}
	return committed
}

// backlog is the number of acknowledged events that the service has not committed.
func (p *play) backlog() int64 {
	total := int64(0)
	committed := p.committed()
	for part, acked := range p.generator.Acked() {
		total += acked - committed[part]
	}
	return total
}

// readAll reports whether the reader has reached the end of the output.
func (p *play) readAll() bool {
	for part, read := range p.reader.Read() {
		if read < p.broker.End(outputTopic, int32(part)) {
			return false
		}
	}
	return true
}

// frame is what there is to see now; the display adds what it remembers.
func (p *play) frame() (Frame, admin.Status) {
	elapsed := time.Since(p.began)
	verified, faults := p.checker.Progress()
	note := surgeNote(elapsed)
	if p.display.stopping.Load() {
		note = ""
	}
	return Frame{
		Elapsed: elapsed, Limit: p.options.For,
		Busy:     p.observer.busyWorkers(),
		Verified: verified, Faults: faults,
		Note: note,
	}, withEnds(p.observer.look(), p.generator.Acked())
}

// writeLines prints lines.
func writeLines(out io.Writer, lines []string) error {
	for _, l := range lines {
		if _, err := fmt.Fprintln(out, l); err != nil {
			return fmt.Errorf("print summary: %w", err)
		}
	}
	return nil
}
