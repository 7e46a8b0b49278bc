package main

import (
	"context"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"streamer/internal/kafka"
)

// imageConfig is where the container image looks for its configuration.
const imageConfig = "/etc/streamer/config.yaml"

// run executes one command line and returns the exit code. env has the form of os.Environ. Cancelling ctx asks the
// command to drain and return.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, env []string) int {
	root := newRootCommand(&program{stdout: stdout, stderr: stderr, env: env, fallback: imageConfig})
	root.SetArgs(args)
	return report(stderr, root.ExecuteContext(ctx))
}

func newRootCommand(p *program) *cobra.Command {
	root := &cobra.Command{
		Use:   "streamer",
		Short: "Consume Kafka topics in parallel blocks and write one output stream",
		Long: "Streamer consumes Kafka topics in parallel blocks, unites them in order, and writes batches to a sink.\n" +
			"Offsets are committed only after the sink acknowledged.",
		Example:       "  streamer demo\n  streamer validate -c config.yaml\n  streamer run -c config.yaml",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs, // or cobra answers an unknown command itself, without a hint
		RunE:          helpOrRefuse,
	}
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.AddCommand(
		newRunCommand(p),
		newValidateCommand(p),
		newTestCommand(p),
		newDemoCommand(buildVersion()),
		newOffsetsCommandOf(p),
		newRedriveCommand(p),
		newHealthCommand(p),
		newVersionCommand(p),
		newCompletionCommand(),
		newManCommand(),
	)
	markWork(root)
	complete(root)
	return root
}

// newOffsetsCommandOf gives `offsets` its connection, section kafka of the configuration, and the group if there is one,
// whatever the rest says.
func newOffsetsCommandOf(p *program) *cobra.Command {
	cmd := newOffsetsCommand(func() (kafka.Config, string, error) {
		loaded, err := p.loadSection("kafka")
		return loaded.Kafka, loaded.Source.Kafka.Group, err
	})
	p.addConfigFlags(cmd)
	return cmd
}

// helpOrRefuse is the work of a command that only has others below it.
func helpOrRefuse(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help() //nolint:wrapcheck // what it prints it prints to us
	}
	return usagef("%q is not a command%s; see %s --help", args[0], suggestion(cmd, args[0]), cmd.CommandPath())
}

func suggestion(root *cobra.Command, word string) string {
	if near := root.SuggestionsFor(word); len(near) > 0 {
		return ", did you mean " + strings.Join(near, " or ")
	}
	return ""
}
