package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"streamer/internal/config"
)

// program is what the process gives to every command, and where their common flags land.
type program struct {
	stdout   io.Writer
	stderr   io.Writer
	env      []string
	fallback string // read when -c is not given and the file is there

	file string
	sets []string
}

// addConfigFlags gives cmd, and what is below it, the flags that say where the configuration is.
func (p *program) addConfigFlags(cmd *cobra.Command) {
	flags := cmd.PersistentFlags()
	flags.VarP(&onceFlag{text: &p.file}, "config", "c", "configuration `file`; may be left out when the environment says enough")
	flags.StringArrayVar(&p.sets, "set", nil, "set one `key=value`, such as block.interval=500ms; may be repeated")
}

// settings is the effective configuration and what there is to say about it.
type settings struct {
	config.Config

	origins  config.Origins
	warnings []config.Warning
}

// load reads the configuration. With config.Faults as the error the settings hold what could be read.
func (p *program) load() (settings, error) {
	path, err := p.path()
	if err != nil {
		return settings{}, err
	}
	cfg, origins, warnings, err := config.Load(path, p.env, p.sets)
	if err != nil {
		err = fmt.Errorf("read configuration: %w", err)
	}
	return settings{Config: cfg, origins: origins, warnings: warnings}, err
}

// loadSection is load for commands that need one section only and do not mind faults in the others.
func (p *program) loadSection(name string) (settings, error) {
	loaded, err := p.load()
	if faults, ok := errors.AsType[config.Faults](err); ok {
		err = nil
		if concerning := faults.Concerning(name); len(concerning) > 0 {
			err = concerning
		}
	}
	return loaded, err
}

func (p *program) path() (string, error) {
	if p.file != "" {
		return p.file, nil
	}
	_, err := os.Stat(p.fallback)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("look for configuration: %w", err)
	}
	return p.fallback, nil
}

// connectionFlags are the flags of this command line that another command needs to reach the same brokers.
func (p *program) connectionFlags() []string {
	var flags []string
	if p.file != "" {
		flags = append(flags, "-c", p.file)
	}
	for _, set := range p.sets {
		if strings.HasPrefix(set, "kafka.") {
			flags = append(flags, "--set", set)
		}
	}
	return flags
}

// onceFlag is a text that may be given once. Of two files the last would win, and all that the first says be missing
// without a word.
type onceFlag struct {
	text  *string
	given bool
}

var errTwice = errors.New("it is given twice; write it once")

// Set implements [pflag.Value].
func (f *onceFlag) Set(text string) error {
	if f.given {
		return errTwice
	}
	*f.text, f.given = text, true
	return nil
}

// String implements [pflag.Value].
func (f *onceFlag) String() string {
	if f.text == nil { // pflag asks the zero value what the default looks like
		return ""
	}
	return *f.text
}

// Type implements [pflag.Value].
func (f *onceFlag) Type() string { return "string" }

// warn prints the warnings for a person who is trying out a configuration.
func (p *program) warn(warnings []config.Warning) {
	for _, warning := range warnings {
		_, _ = fmt.Fprintln(p.stderr, "warning:", warning)
	}
}
