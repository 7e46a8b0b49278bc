package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// newManCommand is for whoever packages Streamer, so it is not in the list of commands.
func newManCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "man DIRECTORY",
		Short: "Write a man page for each command",
		Long: "Write a man page for each command, streamer.1, streamer-run.1 and so on, into the directory, which is made.\n" +
			"The date on them is now, or that of SOURCE_DATE_EPOCH.",
		Example:           "  streamer man share/man/man1",
		Hidden:            true,
		ValidArgsFunction: cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("one directory is needed; write for example: streamer man share/man/man1")
			}
			const readable = 0o755
			if err := os.MkdirAll(args[0], readable); err != nil {
				return fmt.Errorf("write man pages: %w", err)
			}
			cmd.Root().DisableAutoGenTag = true // or the pages name their generator, and the day
			header := &doc.GenManHeader{Section: "1", Source: "streamer " + buildVersion(), Manual: "Streamer"}
			if err := doc.GenManTree(cmd.Root(), header, args[0]); err != nil {
				return fmt.Errorf("write man pages: %w", err)
			}
			return nil
		},
	}
}
