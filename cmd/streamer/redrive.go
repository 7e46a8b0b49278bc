package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"streamer/internal/admin"
	"streamer/internal/config"
	"streamer/internal/kafka"
	"streamer/internal/redrive"
	"streamer/internal/setting"
	"streamer/internal/streamer"
)

// redriveCommand is `streamer redrive`: send dead letters again.
type redriveCommand struct {
	*program

	options       redrive.Options
	since, before string
	restart       bool
}

func newRedriveCommand(p *program) *cobra.Command {
	c := &redriveCommand{program: p}
	cmd := &cobra.Command{
		Use:   "redrive",
		Short: "Send dead letters back to their source topics, or through the pipeline",
		Long: "Send the letters of dead_letter.topic back to the topics and partitions that their records came from, or with\n" +
			"--through to the pipeline and sink of the configuration. Reads to the end that the topic has at the start. Run again,\n" +
			"a selection goes on where it stopped; --dry-run shows what would be sent. docs/redrive.md has the rest.",
		Example: "  streamer redrive -c streamer.yaml --dry-run\n" +
			"  streamer redrive -c streamer.yaml --class evaluate --since 2026-01-31T15:04:05Z\n" +
			"  streamer redrive -c repaired.yaml --through --where 'meta.headers[\"streamer-error-reason\"] contains \"nil\"'",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context()) },
	}
	p.addConfigFlags(cmd)
	flags, s := cmd.Flags(), &c.options.Selection
	flags.StringSliceVar(&s.Pipelines, "pipeline", nil, "letters of these `pipelines`, by group (default source.kafka.group)")
	flags.StringSliceVar(&s.Classes, "class", nil, "only letters of these `classes` of failure, such as decode,encode")
	flags.StringVar(&s.Step, "step", "", "only letters of this failing `step`, such as steps[0].filter")
	flags.StringSliceVar(&s.Topics, "topic", nil, "only letters of records of these source `topics`")
	flags.StringVar(&s.Where, "where", "", "only letters for which this `expression` holds")
	flags.StringVar(&s.Decode, "decode", "", "how --where reads values: json, string or raw (default as the pipeline, or raw)")
	flags.StringVar(&c.since, "since", "", "only letters that were written at this `time` or later")
	flags.StringVar(&c.before, "before", "", "only letters that were written before this `time`")
	flags.BoolVar(&c.options.Through, "through", false, "send records through the pipeline to its sink, not back to their topics")
	flags.StringVar(&c.options.Group, "group", "", "consumer `group` of the progress (default one of the selection's own)")
	flags.BoolVar(&c.restart, "restart", false, "begin at the first letter again")
	flags.BoolVar(&c.options.DryRun, "dry-run", false, "count the letters that would be sent, and send none")
	return cmd
}

func (c *redriveCommand) run(ctx context.Context) error {
	loaded, err := c.load()
	if err != nil {
		return err
	}
	if err = c.times(); err != nil {
		return err
	}
	plan, err := redrive.New(loaded.Config, c.options)
	if err != nil {
		return err
	}
	if loaded.origins["admin.listen"].Kind != config.FromFlag {
		plan.Config.Admin.Listen = "127.0.0.1:0" // the pipeline's own service has its port
	}
	logger, err := newLogger(loaded.Log, c.stderr)
	if err != nil {
		return err
	}
	if err = c.prepare(ctx, plan, loaded.Config, logger); err != nil {
		return err
	}
	return c.serveLetters(ctx, plan, loaded.Source.Kafka.Group, logger)
}

// times reads the flags that are points in time. A time back from now would mean other letters when the command is run
// again to finish what was interrupted, and leave some of the first out for good.
func (c *redriveCommand) times() error {
	for _, flag := range []struct {
		name, text string
		to         *time.Time
	}{{"--since", c.since, &c.options.Selection.Since}, {"--before", c.before, &c.options.Selection.Before}} {
		if flag.text == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339, flag.text)
		if err != nil {
			remedy := "is not a time; write for example 2026-01-31T15:04:05Z"
			if strings.HasPrefix(flag.text, "-") {
				remedy = "would be another time when the command is run again; write the time itself, for example 2026-01-31T15:04:05Z"
			}
			return setting.Fault{Field: flag.name, Value: flag.text, Remedy: remedy}
		}
		*flag.to = at
	}
	return nil
}

// prepare asks the brokers which topics the pipeline reads, and moves the group if that was asked for.
func (c *redriveCommand) prepare(ctx context.Context, plan *redrive.Plan, cfg config.Config, logger *slog.Logger) error {
	ctx, cancel := context.WithTimeout(ctx, offsetsTimeout)
	defer cancel()
	use := kafka.Use{Role: "admin", Path: "kafka", Logger: logger}
	client, err := kafka.Connect(ctx, cfg.Kafka, use)
	if err != nil {
		return fmt.Errorf("reach the brokers: %w", err)
	}
	defer client.Close()
	brokers := kafka.NewAdmin(client)
	sources, err := brokers.SourcePartitions(ctx, cfg.Source.Kafka)
	if err != nil {
		return fmt.Errorf("list the topics that letters may come from: %w", err)
	}
	if err := plan.Bind(sources); err != nil {
		return err
	}
	if !c.restart || c.options.DryRun {
		return nil
	}
	earliest, err := kafka.ParseTarget("earliest")
	if err == nil {
		_, err = brokers.SetOffsets(ctx, plan.Group, []string{cfg.DeadLetter.Topic}, earliest, true, time.Now())
	}
	if err != nil {
		return fmt.Errorf("begin again (--restart): %w", err)
	}
	return nil
}

// serveLetters runs the service over the letters until their end.
func (c *redriveCommand) serveLetters(ctx context.Context, plan *redrive.Plan, pipeline string, logger *slog.Logger) error {
	hook := &streamer.Redrive{Wrap: plan.Wrap, Original: redrive.Original, Pipeline: pipeline}
	if c.options.DryRun && !c.restart {
		hook.From = plan.Group
	}
	service, err := streamer.New(plan.Config, streamer.Options{
		Logger:       logger,
		Stdout:       c.stdout,
		Version:      buildVersion(),
		CommandFlags: c.connectionFlags(),
		Progress:     c.progress(logger),
		Redrive:      hook,
	})
	if err != nil {
		return err
	}
	err = service.Run(ctx)
	if plan.Survey == nil {
		_, _ = fmt.Fprintln(c.stderr, redriven(service.Totals(), c.options.Through, plan.Group))
		return err
	}
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return errStopped
	}
	return plan.Survey.Write(c.stdout)
}

var errStopped = fmt.Errorf("%w before all letters were counted", context.Canceled)

// redriven is the report. It counts what this process got acknowledged.
func redriven(t admin.Totals, through bool, group string) string {
	if !through {
		return fmt.Sprintf("redrive: %d sent, %d not selected; progress is in group %s", t.Delivered, t.Filtered, group)
	}
	return fmt.Sprintf("redrive: %d delivered, %d not selected or filtered, %d aggregated, %d failed again (%d dead-lettered, "+
		"%d skipped); progress is in group %s",
		t.Delivered, t.Filtered, t.Reduced, t.DeadLettered+t.Skipped, t.DeadLettered, t.Skipped, group)
}
