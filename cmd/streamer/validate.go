package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"streamer/internal/config"
)

func newValidateCommand(p *program) *cobra.Command {
	var offline bool
	cmd := &cobra.Command{
		Use:   "validate",
		Short: "Print the effective configuration and check it against the brokers",
		Long: "Print the effective configuration as YAML, with the place that each value comes from as a comment and secrets\n" +
			"redacted. Then check that the brokers answer and that the topics exist; what was found goes to standard error.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			loaded, err := p.load()
			p.warn(loaded.warnings)
			if err != nil {
				return err
			}
			text, err := config.Effective(loaded.Config, loaded.origins)
			if err != nil {
				return fmt.Errorf("print configuration: %w", err)
			}
			if _, err = fmt.Fprint(p.stdout, text); err != nil {
				return fmt.Errorf("print configuration: %w", err)
			}
			if offline {
				return nil
			}
			return p.checkBrokers(cmd.Context(), loaded.Config)
		},
	}
	p.addConfigFlags(cmd)
	cmd.Flags().BoolVar(&offline, "offline", false, "do not connect to the brokers")
	return cmd
}
