package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"streamer/internal/config"
	"streamer/internal/guarantee"
	"streamer/internal/pipeline"
)

func newValidateCommand(p *program) *cobra.Command {
	var offline, explain bool
	cmd := &cobra.Command{
		Use:   "validate",
		Short: "Print the effective configuration and check it against the brokers",
		Long: "Print the effective configuration as YAML, with the place that each value comes from as a comment and secrets\n" +
			"redacted. Then check that the brokers answer and that the topics exist, and say what the pipeline promises for its\n" +
			"records, with the reasons; what was found goes to standard error.",
		Example: "  streamer validate -c config.yaml\n  streamer validate -c config.yaml --offline --explain",
		Args:    cobra.NoArgs,
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
			if explain {
				if text, err = explanation(loaded.Config); err != nil {
					return err
				}
			}
			if _, err = fmt.Fprint(p.stdout, text); err != nil {
				return fmt.Errorf("print configuration: %w", err)
			}
			counts := guarantee.Counts{Inputs: map[string]int{}, Outputs: map[string]int{}}
			if !offline {
				err = p.checkBrokers(cmd.Context(), loaded.Config, counts)
			}
			p.tellGuarantee(loaded.Config, counts)
			return err
		},
	}
	p.addConfigFlags(cmd)
	cmd.Flags().BoolVar(&offline, "offline", false, "do not connect to the brokers")
	cmd.Flags().BoolVar(&explain, "explain", false,
		"print the pipeline instead: each step, the fields that it reads, and how its expressions run")
	return cmd
}

// explanation is what the pipeline does, step by step.
func explanation(cfg config.Config) (string, error) {
	lines, err := pipeline.Explain(cfg.Pipeline, cfg.PipelineOptions())
	if err != nil {
		return "", fmt.Errorf("explain pipeline: %w", err)
	}
	return strings.Join(lines, "\n") + "\n", nil
}
