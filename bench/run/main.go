// Command run measures the streamer binary beside the limit program (bench/limit) on the same topics of a real broker, and
// prints tables of the ratios. docs/benchmarks.md says how to read them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	cancel()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are the command's flags.
type options struct {
	workloads []string
	runs      int
	scale     float64
	rate      int
	seconds   int
	seed      uint64
	given     []string // binaries that are there already
	base      string   // a git reference to measure too
	set       []string
}

// names are the workloads in the order in which they run.
func names() []string { return []string{"count", "filter-map", "join-count", "partitions", "latency"} }

func parse(args []string, stderr io.Writer) (options, error) {
	o := options{workloads: names(), base: os.Getenv("BENCH_BASE")}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Func("workloads", "some of "+strings.Join(names(), ",")+" (default all)", func(text string) error {
		o.workloads = strings.Split(text, ",")
		for _, name := range o.workloads {
			if !slices.Contains(names(), name) {
				return fmt.Errorf("%q is not a workload", name)
			}
		}
		return nil
	})
	flags.IntVar(&o.runs, "runs", 3, "how often each program runs over each topic")
	flags.Float64Var(&o.scale, "scale", 1, "records as a multiple of each workload's own number")
	flags.IntVar(&o.rate, "rate", 20_000, "latency: records per second")
	flags.IntVar(&o.seconds, "seconds", 20, "latency: seconds")
	flags.Uint64Var(&o.seed, "seed", 1, "what the generated events depend on")
	addTo := func(list *[]string) func(string) error {
		return func(text string) error {
			*list = append(*list, text)
			return nil
		}
	}
	flags.Func("streamer", "a binary to measure instead of one built from this tree; may be repeated", addTo(&o.given))
	flags.StringVar(&o.base, "base", o.base, "a git reference to measure too (default $BENCH_BASE)")
	flags.Func("set", "KEY=VALUE for the configuration of every run of a streamer; may be repeated", addTo(&o.set))
	if err := flags.Parse(args); err != nil {
		return o, fmt.Errorf("read flags: %w", err)
	}
	if o.runs < 1 || o.scale <= 0 || o.rate < 1 || o.seconds < 1 {
		return o, errors.New("-runs, -scale, -rate and -seconds must be above 0")
	}
	return o, nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "streamer-bench-")
	if err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	h := &harness{options: o, dir: dir, stdout: stdout, stderr: stderr}
	if err := h.build(ctx); err != nil {
		return err
	}
	if err := h.start(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.broker.Close()) }()
	h.describe(ctx)
	for _, name := range names() {
		if !slices.Contains(o.workloads, name) {
			continue
		}
		if err := h.workload(ctx, name); err != nil {
			return fmt.Errorf("measure %s: %w", name, err)
		}
	}
	return nil
}
