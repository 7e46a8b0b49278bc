package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// Options say how a demo runs.
type Options struct {
	For     time.Duration // how long events are generated; 0: until the context ends
	Rate    int           // events per second on average, before surges
	Seed    uint64        // the same seed generates the same events
	Version string
	Stdout  io.Writer // the picture and the summary
	Stderr  io.Writer // the service's warnings when Stdout is no terminal
}

// Validate names the flag that is wrong.
func (o Options) Validate() error {
	switch {
	case o.Rate < 1:
		return fmt.Errorf("--rate %d is no load; write 1 or more events per second", o.Rate)
	case o.For < 0:
		return fmt.Errorf("--for %s is in the past; leave it out to run until Ctrl-C", o.For)
	}
	return nil
}

// DefaultRate takes about a third of one core, surges included: enough to see the workers, and the machine stays usable.
const DefaultRate = 40_000

// run plays the demo with the service that start makes.
func run(ctx context.Context, o Options, start starter) error {
	broker, err := StartBroker()
	if err != nil {
		return err
	}
	defer broker.Close()
	p, err := stage(ctx, broker, o, start)
	if err != nil {
		return err
	}
	defer p.close()
	summary, err := p.run(ctx)
	if err != nil { // then the output is not expected to be whole, and a summary would hide why
		return err
	}
	return errors.Join(writeLines(o.Stdout, summary.Lines()), summary.Err())
}

// freeAddress is where the admin server listens: the usual place, or a free port if a service runs there already.
func freeAddress(ctx context.Context) (string, error) {
	for _, address := range []string{"127.0.0.1:4040", "127.0.0.1:0"} {
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
		if err == nil {
			return listener.Addr().String(), listener.Close()
		}
	}
	return "", errors.New("find a free port on 127.0.0.1: none")
}
