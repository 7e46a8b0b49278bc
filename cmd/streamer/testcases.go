package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"streamer/internal/config"
	"streamer/internal/pipelinetest"
)

var errTestsFailed = errors.New("tests failed")

func newTestCommand(p *program) *cobra.Command {
	var junit string
	cmd := &cobra.Command{
		Use:   "test FILE...",
		Short: "Run tests of a pipeline, without a broker",
		Long: "Run the cases of each file: input records go through the pipeline, and what comes out is held against what the\n" +
			"case expects. A file names its configuration (config:), or -c does. docs/testing.md describes the files.",
		Example:           "  streamer test tests/*.yaml\n  streamer test -c streamer.yaml --junit report.xml tests/*.yaml",
		ValidArgsFunction: cobra.FixedCompletions([]cobra.Completion{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("no file of tests is given; write for example: streamer test tests/*.yaml")
			}
			return p.runTests(cmd.Context(), args, junit)
		},
	}
	p.addConfigFlags(cmd)
	cmd.Flags().StringVar(&junit, "junit", "", "write the results to this `file` as JUnit XML too")
	return cmd
}

func (p *program) runTests(ctx context.Context, paths []string, junit string) error {
	var results []pipelinetest.Result
	for _, path := range paths {
		file, err := pipelinetest.Read(path)
		if err != nil {
			return usageError{err}
		}
		tester, err := p.tester(file)
		if err != nil {
			return err
		}
		for i := range file.Cases {
			c := &file.Cases[i]
			differences, err := tester.Run(ctx, c)
			results = append(results, pipelinetest.Result{
				File: path, Line: c.At(), Name: c.Name, Differences: differences, Err: err,
			})
		}
	}
	if err := pipelinetest.WriteText(p.stdout, results); err != nil {
		return err
	}
	if err := writeJUnit(junit, results); err != nil {
		return err
	}
	for i := range results {
		if !results[i].Passed() {
			return errTestsFailed
		}
	}
	return nil
}

// tester compiles the pipeline that the file tests. Only faults of the pipeline count: a test needs no brokers.
func (p *program) tester(file *pipelinetest.File) (*pipelinetest.Tester, error) {
	path, err := p.path()
	if err != nil {
		return nil, err
	}
	if file.Config != "" {
		path = filepath.Join(filepath.Dir(file.Path), file.Config)
	}
	cfg, _, _, err := config.Load(path, p.env, p.sets)
	if faults, ok := errors.AsType[config.Faults](err); ok {
		err = nil
		if concerning := faults.Concerning("pipeline"); len(concerning) > 0 {
			return nil, concerning
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return pipelinetest.New(cfg)
}

func writeJUnit(path string, results []pipelinetest.Result) error {
	if path == "" {
		return nil
	}
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write JUnit report: %w", err)
	}
	if err := pipelinetest.WriteJUnit(file, results); err != nil {
		_ = file.Close()
		return err
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("write JUnit report: %w", err)
	}
	return nil
}
