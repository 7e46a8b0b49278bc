package main

import (
	"context"
	"log/slog"

	"github.com/spf13/cobra"

	"streamer/internal/streamer"
)

func newRunCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run the service until it is stopped or a bounded run is done",
		Long: "Run the service. The first SIGTERM or interrupt drains for at most shutdown.timeout, a second one stops at\n" +
			"once. Exit codes: 0 clean stop or bounded run done; 1 failure; 2 bad usage or configuration; 130 second signal.",
		Example: "  streamer run -c config.yaml\n  streamer run -c config.yaml --set source.kafka.until=latest",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.serve(cmd.Context())
		},
	}
	p.addConfigFlags(cmd)
	return cmd
}

// serve runs the service until ctx ends, which drains it.
func (p *program) serve(ctx context.Context) error {
	loaded, err := p.load()
	if err != nil {
		return err
	}
	logger, err := newLogger(loaded.Log, p.stderr)
	if err != nil {
		return err
	}
	for _, warning := range loaded.warnings {
		logger.Warn("configuration", "warning", warning.String())
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

// progress shows a bounded run to a person as a bar and a table, and to a collector as log lines.
func (p *program) progress(logger *slog.Logger) *streamer.Progress {
	if isTerminal(p.stderr) {
		return &streamer.Progress{Out: p.stderr, Bar: p.stderr}
	}
	return &streamer.Progress{Log: logger}
}
