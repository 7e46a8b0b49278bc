package config

import (
	"strings"

	"streamer/internal/setting"
)

// flagPrefix is how a fault names the flag that gave the value.
const flagPrefix = "--set "

// flagged is what `--set KEY=VALUE` says.
type flagged struct {
	values layer
	names  map[string]string // by path: the key as it was written, which may be a shorthand
	faults Faults
}

// readFlags takes flags as they stand behind --set, KEY=VALUE; of two for one key the last holds. Secrets are refused: every
// user of the machine can read a command line.
func readFlags(flags []string, schema *schema) *flagged {
	last := make(map[string]string, len(flags))
	for _, flag := range flags {
		path, _, _ := strings.Cut(flag, "=")
		last[path] = flag
	}
	f := &flagged{values: layer{}, names: map[string]string{}}
	for _, path := range sortedNames(last) {
		k, found := schema.find(path)
		if !found {
			f.fault(path, schema.unknownPath(path))
			continue
		}
		if k.secret() {
			f.fault(path, setting.Fault{
				Field:  path,
				Remedy: "would show in the list of processes; set " + k.variable() + ", or " + schema.fileFor(k),
			})
			continue
		}
		_, text, given := strings.Cut(last[path], "=")
		if !given {
			f.fault(path, setting.Fault{Field: path, Remedy: "has no value; write " + flagPrefix + path + "=VALUE"})
			continue
		}
		value, fault := k.parseLine(text)
		if fault != nil {
			f.fault(path, *fault)
			continue
		}
		f.values[k.path], f.names[k.path] = value, flagPrefix+path
	}
	return f
}

func (f *flagged) fault(path string, fault setting.Fault) {
	f.faults = append(f.faults, Fault{Fault: fault, Origin: Origin{Kind: FromFlag, Name: flagPrefix + path}})
}
