package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"streamer/internal/config"
	"streamer/internal/record"
)

// shells writes the script of each shell that completes command lines.
func shells() map[string]func(root *cobra.Command, w io.Writer) error {
	return map[string]func(*cobra.Command, io.Writer) error{
		"bash":       func(root *cobra.Command, w io.Writer) error { return root.GenBashCompletionV2(w, true) },
		"zsh":        (*cobra.Command).GenZshCompletion,
		"fish":       func(root *cobra.Command, w io.Writer) error { return root.GenFishCompletion(w, true) },
		"powershell": (*cobra.Command).GenPowerShellCompletionWithDesc,
	}
}

// newCompletionCommand stands in for cobra's own, whose help has no examples.
func newCompletionCommand() *cobra.Command {
	names := []cobra.Completion{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Print a script by which a shell completes commands, flags and settings",
		Long: "Print the script for a shell. Where it belongs is the shell's own matter: bash and its package bash-completion\n" +
			"read /etc/bash_completion.d, zsh the directories of $fpath, fish ~/.config/fish/completions, PowerShell the profile.",
		Example: "  streamer completion bash > /etc/bash_completion.d/streamer\n" +
			"  streamer completion zsh > \"${fpath[1]}/_streamer\"\n" +
			"  streamer completion fish > ~/.config/fish/completions/streamer.fish\n" +
			"  streamer completion powershell >> $PROFILE",
		ValidArgs: names,
		Args:      cobra.ArbitraryArgs, // or cobra's answer has no remedy
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 || shells()[args[0]] == nil {
				return usagef("one shell is needed; write bash, zsh, fish or powershell")
			}
			if err := shells()[args[0]](cmd.Root(), cmd.OutOrStdout()); err != nil {
				return fmt.Errorf("print completion: %w", err)
			}
			return nil
		},
	}
}

// completions are the values of flags that are known without asking anybody. What only brokers know, topics and groups, is
// not completed: a key press would wait for a connection.
func completions() map[string]cobra.CompletionFunc {
	return map[string]cobra.CompletionFunc{
		"set":    completeSetting,
		"output": cobra.FixedCompletions([]cobra.Completion{"table", "json"}, cobra.ShellCompDirectiveNoFileComp),
		"class":  cobra.FixedCompletions(record.Classes(), cobra.ShellCompDirectiveNoFileComp),
		"decode": cobra.FixedCompletions([]cobra.Completion{"json", "string", "raw"}, cobra.ShellCompDirectiveNoFileComp),
		"config": cobra.FixedCompletions([]cobra.Completion{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt),
		"junit":  cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault),
	}
}

// completeSetting completes the key of KEY=VALUE. A secret's is left out: a command line is seen by everybody on the machine.
func completeSetting(_ *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var keys []cobra.Completion
	for _, key := range config.Keys() {
		if strings.HasPrefix(key.Path, begun) && key.Unit != "secret" {
			keys = append(keys, cobra.CompletionWithDesc(key.Path+"=", key.Unit))
		}
	}
	return keys, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}

// complete says for cmd and every command below it how flags and arguments are completed. Where nothing is known a shell
// would offer the files of the directory, as if a group could be one.
func complete(cmd *cobra.Command) {
	known := completions()
	cmd.LocalFlags().VisitAll(func(flag *pflag.Flag) {
		how, ok := known[flag.Name]
		if !ok {
			how = cobra.NoFileCompletions
		}
		if _, done := cmd.GetFlagCompletionFunc(flag.Name); !done {
			_ = cmd.RegisterFlagCompletionFunc(flag.Name, how) // fails only for a flag that there is not, or that is done
		}
	})
	if cmd.ValidArgsFunction == nil && len(cmd.ValidArgs) == 0 {
		cmd.ValidArgsFunction = cobra.NoFileCompletions
	}
	for _, below := range cmd.Commands() {
		complete(below)
	}
}
