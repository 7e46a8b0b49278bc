package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// tree calls check for cmd and every command below it, but those of cobra's own.
func tree(cmd *cobra.Command, check func(*cobra.Command)) {
	if cmd.Name() == "help" || strings.HasPrefix(cmd.Name(), "__") {
		return
	}
	check(cmd)
	for _, below := range cmd.Commands() {
		tree(below, check)
	}
}

func root() *cobra.Command { return newRootCommand(&program{stdout: io.Discard, stderr: io.Discard}) }

// Every command has an example, and every line of one is a command line of this command: an example with a flag that was
// renamed is worse than none.
func TestEveryCommandHasExamplesThatParse(t *testing.T) {
	t.Parallel()
	count := 0
	tree(root(), func(documented *cobra.Command) {
		count++
		if documented.Example == "" {
			t.Errorf("%s --help has no example", documented.CommandPath())
		}
		for line := range strings.Lines(documented.Example) {
			line = strings.TrimSuffix(line, "\n")
			command, _, _ := strings.Cut(line, " >") // the shell's, not ours
			args := words(command)
			if !strings.HasPrefix(line, "  streamer ") || len(args) == 0 {
				t.Errorf("%s: %q does not begin with two spaces and streamer", documented.CommandPath(), line)
				continue
			}
			fresh := root()
			meant, rest, err := fresh.Find(args[1:])
			if err != nil {
				t.Errorf("%q: %v", line, err)
				continue
			}
			if !strings.HasPrefix(meant.CommandPath()+" ", documented.CommandPath()+" ") {
				t.Errorf("%q is an example of %s", line, documented.CommandPath())
			}
			if err = meant.ParseFlags(rest); err == nil {
				err = meant.ValidateArgs(meant.Flags().Args())
			}
			if err != nil {
				t.Errorf("%q: %v", line, err)
			}
			if meant.HasSubCommands() {
				t.Errorf("%q stops before a command that does something", line)
			}
		}
	})
	if count < 12 {
		t.Errorf("%d commands were looked at", count)
	}
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		line  string
		wants string // lines of the answer
		not   string
	}{
		{"run --set block.int", "block.interval=", "batch.interval"},
		{"run --set kafka.sasl.pass", "kafka.sasl.password_file=", "kafka.sasl.password="},
		{"run --set nothing.is.called.so", ":6", "="}, // no space, no files
		{"run -c ", "yaml\nyml\n:8", ""},
		{"test ", "yaml\nyml\n:8", ""},
		{"offsets list --group ", ":4", "yaml"}, // a group is no file
		{"offsets list --output ", "table\njson\n:4", ""},
		{"redrive --class dec", "decode", "yaml"},
		{"run ", ":4", "yaml"},
		{"completion ", "bash\nzsh\nfish\npowershell\n:4", ""},
		{"offsets ", "list", "yaml"},
	} {
		var out strings.Builder
		code := run(t.Context(), append([]string{"__complete"}, strings.Split(test.line, " ")...), &out, io.Discard, nil)
		if code != 0 || !strings.Contains(out.String(), test.wants) || test.not != "" && strings.Contains(out.String(), test.not) {
			t.Errorf("%q: exit code %d; want %q and not %q in\n%s", test.line, code, test.wants, test.not, out.String())
		}
	}
}

func TestCompletionScripts(t *testing.T) {
	t.Parallel()
	for shell, marker := range map[string]string{
		"bash": "complete -o default", "zsh": "#compdef streamer", "fish": "complete -c streamer", "powershell": "Register-ArgumentCompleter",
	} {
		var out strings.Builder
		if code := run(t.Context(), []string{"completion", shell}, &out, io.Discard, nil); code != 0 || !strings.Contains(out.String(), marker) {
			t.Errorf("completion %s: exit code %d, and no %q", shell, code, marker)
		}
	}
	for _, args := range [][]string{{"completion"}, {"completion", "csh"}, {"completion", "bash", "zsh"}} {
		var said strings.Builder
		if code := run(t.Context(), args, io.Discard, &said, nil); code != exitUsage || !strings.Contains(said.String(), "write bash, zsh") {
			t.Errorf("%v: exit code %d: %s", args, code, said.String())
		}
	}
}

// Each command has a page, with its example.
func TestManPages(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1790000000")
	dir, again := filepath.Join(t.TempDir(), "made", "man1"), t.TempDir()
	for _, to := range []string{dir, again} {
		if code := run(t.Context(), []string{"man", to}, io.Discard, io.Discard, nil); code != 0 {
			t.Fatalf("exit code %d", code)
		}
	}
	tree(root(), func(cmd *cobra.Command) {
		name := strings.ReplaceAll(cmd.CommandPath(), " ", "-") + ".1"
		page, err := os.ReadFile(filepath.Join(dir, name))
		if cmd.Hidden {
			if err == nil {
				t.Errorf("hidden %s has a page", cmd.CommandPath())
			}
			return
		}
		if err != nil {
			t.Error(err)
			return
		}
		if second, _ := os.ReadFile(filepath.Join(again, name)); !bytes.Equal(page, second) {
			t.Errorf("%s is another page each time", name)
		}
		if !strings.Contains(string(page), ".SH EXAMPLE\n") || strings.Contains(string(page), "Auto generated") {
			t.Errorf("%s:\n%s", name, page)
		}
	})
	if code := run(t.Context(), []string{"man"}, io.Discard, io.Discard, nil); code != exitUsage {
		t.Errorf("without a directory: exit code %d", code)
	}
}
