package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"streamer/internal/admin"
	"streamer/internal/config"
	"streamer/internal/streamer"
)

func newRunCommand(p *program) *cobra.Command {
	var dry bool
	var limit int
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run the service until it is stopped or a bounded run is done",
		Long: "Run the service. The first SIGTERM or interrupt drains for at most shutdown.timeout, a second one stops at\n" +
			"once. Exit codes: 0 clean stop or bounded run done; 1 failure; 2 bad usage or configuration; 130 second signal.\n" +
			"With --dry-run it shows the first --limit records that it would write, from where the group stands, and ends. Then\n" +
			"nothing is joined, committed or written. What is shown has the records' keys, values and headers.",
		Example: "  streamer run -c config.yaml\n  streamer run -c config.yaml --set source.kafka.until=latest\n" +
			"  streamer run -c config.yaml --dry-run --limit 5",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case !dry && cmd.Flags().Changed("limit"):
				return usagef("--limit is only for --dry-run; add it, or leave --limit out")
			case limit < 1:
				return usagef("--limit: %d is no number of records to show; write 1 or more", limit)
			case dry:
				return p.serveDry(cmd.Context(), limit)
			}
			return p.serve(cmd.Context())
		},
	}
	p.addConfigFlags(cmd)
	const few = 20
	cmd.Flags().BoolVar(&dry, "dry-run", false, "show what would be written, and write and commit nothing")
	cmd.Flags().IntVar(&limit, "limit", few, "with --dry-run: end after this `number` of records")
	return cmd
}

// serve runs the service until ctx ends, which drains it.
func (p *program) serve(ctx context.Context) error {
	loaded, logger, err := p.loadToRun()
	if err != nil {
		return err
	}
	service, err := streamer.New(loaded.Config, streamer.Options{
		Logger:       logger,
		Stdout:       p.stdout,
		Version:      buildVersion(),
		CommandFlags: p.connectionFlags(),
		Progress:     p.progress(logger),
	})
	if err != nil {
		return err
	}
	return service.Run(ctx)
}

// serveDry shows what serve would write.
func (p *program) serveDry(ctx context.Context, limit int) error {
	loaded, logger, err := p.loadToRun()
	if err != nil {
		return err
	}
	if loaded.origins["admin.listen"].Kind != config.FromFlag {
		loaded.Admin.Listen = "127.0.0.1:0" // the service that goes on meanwhile has its port
	}
	service, err := streamer.New(loaded.Config, streamer.Options{
		Logger:       logger,
		Version:      buildVersion(),
		CommandFlags: p.connectionFlags(),
		Preview:      &streamer.Preview{Out: p.stdout, Limit: limit},
	})
	if err != nil {
		return err
	}
	err = service.Run(ctx)
	p.tellf("%s", dryRun(service.Totals(), limit))
	return err
}

// dryRun is the report. A batch may hold more than was shown of it.
func dryRun(t admin.Totals, limit int) string {
	return fmt.Sprintf("dry run: nothing was written or committed; looked at %d records to write (%d shown), %d filtered, "+
		"%d dead letters, %d skipped, %d aggregated",
		t.Delivered, min(t.Delivered, int64(limit)), t.Filtered, t.DeadLettered, t.Skipped, t.Reduced)
}

// loadToRun reads the configuration for a service, and makes its log.
func (p *program) loadToRun() (settings, *slog.Logger, error) {
	loaded, err := p.load()
	if err != nil {
		return settings{}, nil, err
	}
	logger, err := newLogger(loaded.Log, p.stderr)
	if err != nil {
		return settings{}, nil, err
	}
	for _, warning := range loaded.warnings {
		logger.Warn("configuration", "warning", warning.String())
	}
	return loaded, logger, nil
}

// progress shows a bounded run to a person as a bar and a table, and to a collector as log lines.
func (p *program) progress(logger *slog.Logger) *streamer.Progress {
	if isTerminal(p.stderr) {
		return &streamer.Progress{Out: p.stderr, Bar: p.stderr}
	}
	return &streamer.Progress{Log: logger}
}
