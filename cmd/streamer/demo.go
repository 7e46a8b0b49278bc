package main

import (
	"math/rand/v2"

	"github.com/spf13/cobra"

	"streamer/internal/demo"
)

func newDemoCommand(version string) *cobra.Command {
	options := demo.Options{Version: version}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Watch the service work on an embedded broker, then check that what went in came out",
		Long: "Start an embedded broker, generate ad events on 8 partitions of uneven load, keep the views, and draw what the\n" +
			"service does. Ctrl-C or --for ends the events; what is under way is still delivered, and the whole output checked.\n" +
			"Nothing outside this process is used. Exit code 1 if the output is not what it must be.",
		Example: "  streamer demo\n  streamer demo --for 30s --rate 20000 --seed 7",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := options.Validate(); err != nil {
				return usagef("%s", err)
			}
			options.Stdout, options.Stderr = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return demo.Run(cmd.Context(), options)
		},
	}
	flags := cmd.Flags()
	flags.DurationVar(&options.For, "for", 0, "generate events for this long; 0 means until Ctrl-C")
	flags.IntVar(&options.Rate, "rate", demo.DefaultRate, "events per second on average, before surges")
	//nolint:gosec // a different picture each time is all that is asked of it
	flags.Uint64Var(&options.Seed, "seed", rand.Uint64(), "the same `seed` generates the same events")
	flags.Lookup("seed").DefValue = "random" // or each help and each man page would be another
	return cmd
}
