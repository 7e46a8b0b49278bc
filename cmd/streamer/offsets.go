package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"streamer/internal/kafka"
	"streamer/internal/setting"
)

// offsetsCommand is `streamer offsets`: look at a group's commits, and move them while it is stopped.
type offsetsCommand struct {
	connect connectSettings
	group   string
	output  string
	to      string
	execute bool
}

// connectSettings reads how to reach the brokers, and the group that is meant when no flag names one.
type connectSettings func() (connection kafka.Config, group string, err error)

func newOffsetsCommand(connect connectSettings) *cobra.Command {
	c := &offsetsCommand{connect: connect}
	command := &cobra.Command{
		Use:   "offsets",
		Short: "Show or move the offsets that a consumer group has committed",
		Example: "  streamer offsets list --group ad-views\n" +
			"  streamer offsets set --group ad-views --to earliest events/3\n" +
			"  streamer offsets skip --group ad-views events/3@1200 --execute",
		Args: cobra.ArbitraryArgs, // or cobra answers an unknown command with help and success
		RunE: helpOrRefuse,
	}
	flags := command.PersistentFlags()
	flags.StringVar(&c.group, "group", "", "the consumer group (default source.kafka.group)")
	flags.StringVar(&c.output, "output", "table", "table or json")
	command.AddCommand(c.list(), c.set(), c.skip())
	return command
}

func (c *offsetsCommand) list() *cobra.Command {
	return &cobra.Command{
		Use:     "list [TOPIC[/PARTITION]...]",
		Short:   "Show the group's state, and per partition its commit, the end and the lag",
		Example: "  streamer offsets list --group ad-views",
		RunE: func(cmd *cobra.Command, targets []string) error {
			return c.withAdmin(cmd, func(ctx context.Context, admin *kafka.Admin) error {
				offsets, err := admin.GroupOffsets(ctx, c.group, targets...)
				if err != nil {
					return fmt.Errorf("list offsets: %w", err)
				}
				return c.print(cmd.OutOrStdout(), offsets, func(w io.Writer) { writeGroupOffsets(w, offsets) })
			})
		},
	}
}

func (c *offsetsCommand) set() *cobra.Command {
	command := &cobra.Command{
		Use:   "set --to POSITION TOPIC[/PARTITION]...",
		Short: "Move the group's commits; shows what it would do unless --execute is given",
		Long: "Moves the commits of a stopped group. POSITION is earliest, latest, an offset, a time such as\n" +
			"2026-01-31T15:04:05Z, or a duration back such as -15m.",
		Example: "  streamer offsets set --group ad-views --to=-15m events",
		Args:    needs("TOPIC[/PARTITION]", "is missing; write for example events, or events/3"),
		RunE: func(cmd *cobra.Command, targets []string) error {
			to, err := kafka.ParseTarget(c.to)
			if err != nil {
				return inFlag("--to", err)
			}
			return c.move(cmd, func(ctx context.Context, admin *kafka.Admin) (kafka.Move, error) {
				return admin.SetOffsets(ctx, c.group, targets, to, c.execute, time.Now())
			})
		},
	}
	command.Flags().StringVar(&c.to, "to", "", "where to (required)")
	command.Flags().BoolVar(&c.execute, "execute", false, "do it, instead of showing what would be done")
	return command
}

func (c *offsetsCommand) skip() *cobra.Command {
	command := &cobra.Command{
		Use:     "skip TOPIC/PARTITION@OFFSET",
		Short:   "Let the group go on behind one record; shows what it would do unless --execute is given",
		Example: "  streamer offsets skip --group ad-views events/3@1200 --execute",
		Args: cobra.MatchAll(
			needs("TOPIC/PARTITION@OFFSET", "is missing; write for example events/3@1200"), cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.move(cmd, func(ctx context.Context, admin *kafka.Admin) (kafka.Move, error) {
				return admin.SkipRecord(ctx, c.group, args[0], c.execute)
			})
		},
	}
	command.Flags().BoolVar(&c.execute, "execute", false, "do it, instead of showing what would be done")
	return command
}

func (c *offsetsCommand) move(cmd *cobra.Command, change func(context.Context, *kafka.Admin) (kafka.Move, error)) error {
	return c.withAdmin(cmd, func(ctx context.Context, admin *kafka.Admin) error {
		move, err := change(ctx, admin)
		if err != nil {
			return fmt.Errorf("move offsets: %w", err)
		}
		return c.print(cmd.OutOrStdout(), move, func(w io.Writer) { writeMove(w, move) })
	})
}

// offsetsTimeout bounds one command; a broker that does not answer by then will not.
const offsetsTimeout = time.Minute

// withAdmin checks flags and connection before it asks anything.
func (c *offsetsCommand) withAdmin(cmd *cobra.Command, do func(context.Context, *kafka.Admin) error) error {
	connection, err := c.settle()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), offsetsTimeout)
	defer cancel()
	logger := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelError}))
	use := kafka.Use{Role: "admin", Path: "kafka", Logger: logger}
	client, err := kafka.Connect(ctx, connection, use)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer client.Close()
	return do(ctx, kafka.NewAdmin(client))
}

// settle checks the flags, and takes from the configuration what they leave open.
func (c *offsetsCommand) settle() (kafka.Config, error) {
	if c.output != "table" && c.output != "json" {
		return kafka.Config{}, setting.Fault{Field: "--output", Value: c.output, Remedy: "is not known; write table or json"}
	}
	connection, group, err := c.connect()
	if err != nil {
		return kafka.Config{}, err
	}
	if c.group == "" {
		c.group = group
	}
	if c.group == "" {
		return kafka.Config{}, setting.Fault{
			Field: "--group", Remedy: "is missing; write the consumer group, or a configuration with source.kafka.group",
		}
	}
	return connection, nil
}

// needs refuses a command line without an argument by the argument's name; cobra would only count.
func needs(argument, remedy string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return setting.Fault{Field: argument, Remedy: remedy}
		}
		return nil
	}
}

// inFlag puts the flag's name before what is wrong with its value.
func inFlag(flag string, err error) error {
	if fault, ok := errors.AsType[setting.Fault](err); ok {
		fault.Field = flag
		return fault
	}
	return fmt.Errorf("%s: %w", flag, err)
}

func (c *offsetsCommand) print(out io.Writer, value any, table func(io.Writer)) error {
	if c.output == "json" {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(value); err != nil {
			return fmt.Errorf("print offsets: %w", err)
		}
		return nil
	}
	columns := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	table(columns)
	if err := columns.Flush(); err != nil {
		return fmt.Errorf("print offsets: %w", err)
	}
	return nil
}

// The writers below go to a tabwriter, which keeps an error until Flush.

func writeGroupOffsets(w io.Writer, offsets kafka.GroupOffsets) {
	group := offsets.Group
	if group.Exists() {
		_, _ = fmt.Fprintf(w, "group %s: %s, %d member(s)\n\n", group.Name, group.State, len(group.Members))
	} else {
		_, _ = fmt.Fprintf(w, "group %s does not exist: it was never used, or its commits have expired\n\n", group.Name)
	}
	_, _ = fmt.Fprintln(w, "TOPIC\tPARTITION\tCOMMITTED\tEND\tLAG")
	for _, row := range offsets.Partitions {
		_, _ = fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\n",
			row.Topic, row.Partition, offsetText(row.Committed), offsetText(row.End), offsetText(row.Lag))
	}
}

func writeMove(w io.Writer, move kafka.Move) {
	_, _ = fmt.Fprintln(w, "TOPIC\tPARTITION\tFROM\tTO\tNOTE")
	for _, row := range move.Moves {
		_, _ = fmt.Fprintf(w, "%s\t%d\t%s\t%d\t%s\n", row.Topic, row.Partition, offsetText(row.From), row.To, row.Note)
	}
	if move.Executed {
		_, _ = fmt.Fprintf(w, "\ncommitted to group %s\n", move.Group)
		return
	}
	_, _ = fmt.Fprintf(w, "\nnothing changed; add --execute to commit this to group %s\n", move.Group)
}

func offsetText(offset int64) string {
	if offset < 0 {
		return "-"
	}
	return strconv.FormatInt(offset, 10)
}
